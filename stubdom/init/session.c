#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

enum { DOM0 = 0, ROUNDS_LIMIT = 32 };

int session_open(struct session *session, unsigned client_order, unsigned server_order) {
	session->service = -1;
	if (vchan_open(&session->vchan, DOM0, client_order, server_order) != 0) return -1;
	session->open_for_clients = session->live = true;
	return 0;
}

int session_publish(struct session *session, const char *path, unsigned own_domid) {
	snprintf(session->path, sizeof session->path, "%s", path);
	return vchan_publish(&session->vchan, session->path, own_domid, DOM0);
}

static void set_live(struct session *session, bool live) {
	session->live = live;
	vchan_set_live(&session->vchan, live);
}

static void close_service(struct session *session) {
	if (session->service >= 0) close(session->service);
	session->service = -1;
	session->to_service_length = session->to_client_length = 0;
}

/* Without blocking: the service takes what it takes. Returns false when its side is closed. */
static bool flush_to_service(struct session *session) {
	while (session->to_service_length > 0) {
		ssize_t sent = send(session->service, session->to_service, session->to_service_length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR) continue;
		if (sent < 0) return errno == EAGAIN;
		session->to_service_length -= (size_t)sent;
		memmove(session->to_service, session->to_service + sent, session->to_service_length);
	}
	return true;
}

static void receive_from_client(struct session *session) {
	session->to_service_length += vchan_receive(&session->vchan, session->to_service + session->to_service_length,
	                                            SESSION_TO_SERVICE_BYTES - session->to_service_length);
}

/* What the client sent before it left still goes to the service; what it left unread goes nowhere. */
static void end_session(struct session *session) {
	receive_from_client(session);
	flush_to_service(session);
	close_service(session);
}

static void begin_session(struct session *session) {
	set_live(session, true);
	session->service = session->connect();
	session->count++;
	if (session->service < 0) {
		log_line("%s session %lu: nobody there: %s", session->name, session->count, strerror(errno));
		set_live(session, false);
	}
}

static void follow_client(struct session *session) {
	if (vchan_accept(&session->vchan)) {
		if (session->service >= 0) end_session(session);
		begin_session(session);
	} else if (!vchan_has_client(&session->vchan)) {
		if (session->service >= 0) end_session(session);
		vchan_drop_unread(&session->vchan);
		/* A client that finds this has left nothing behind of the one before. */
		if (vchan_offer_again(&session->vchan) || !session->live) set_live(session, true);
	}
}

static void send_to_client(struct session *session) {
	size_t sent = vchan_send(&session->vchan, session->to_client, session->to_client_length);
	session->to_client_length -= sent;
	memmove(session->to_client, session->to_client + sent, session->to_client_length);
}

/* Returns false when the service ended the session. */
static bool pump(struct session *session, bool service_readable) {
	bool moved = true;
	/* What is left then is found by the next poll: a busy session does not keep the others waiting. */
	for (int round = 0; moved && round < ROUNDS_LIMIT; round++) {
		size_t before = session->to_service_length;
		receive_from_client(session);
		moved = session->to_service_length > before;
		if (!flush_to_service(session)) return false;
		moved = moved && session->to_service_length == 0;
		if (session->to_client_length == 0 && service_readable) {
			ssize_t got = recv(session->service, session->to_client, SESSION_TO_CLIENT_BYTES, MSG_DONTWAIT);
			if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return false;
			service_readable = got > 0;
			if (got > 0) session->to_client_length = (size_t)got;
		}
		if (session->to_client_length > 0) send_to_client(session);
		if (session->to_client_length == 0 && service_readable) moved = true;
	}
	return true;
}

void session_prepare(struct session *session, struct pollfd *fds) {
	fds[0] = (struct pollfd){.fd = session->open_for_clients ? session->vchan.events : -1, .events = POLLIN};
	short wanted = (short)((session->to_client_length == 0 ? POLLIN : 0) | (session->to_service_length > 0 ? POLLOUT : 0));
	/* With nothing wanted the descriptor stays out: poll would report a hang-up over and over. */
	fds[1] = (struct pollfd){.fd = session->open_for_clients && wanted ? session->service : -1, .events = wanted};
}

void session_run(struct session *session, const struct pollfd *fds) {
	if (!session->open_for_clients) return;
	if (fds[0].revents) vchan_take_event(&session->vchan);
	if (fds[0].revents) follow_client(session);
	if (session->service < 0 || !(fds[0].revents | fds[1].revents)) return;
	if (pump(session, fds[1].revents & (POLLIN | POLLHUP | POLLERR))) return;
	log_line("%s session %lu: ended by the device model", session->name, session->count);
	close_service(session);
	set_live(session, false);
}

void session_close(struct session *session) {
	if (!session->open_for_clients) return;
	close_service(session);
	set_live(session, false);
	if (*session->path) vchan_withdraw(session->path);
	session->open_for_clients = false;
}
