#include "qmp-server.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device-model.h"
#include "log.h"
#include "vchan-server.h"

enum { BUFFER_BYTES = 4096, DOM0 = 0 };

struct buffer {
	char bytes[BUFFER_BYTES];
	size_t length;
};

static struct vchan_server vchan;
static bool open_for_clients;
/* Where it is published, or empty. */
static char path[48];
static int monitor = -1;
static struct buffer to_monitor, to_client;
static unsigned long sessions;

static void consume(struct buffer *buffer, size_t count) {
	buffer->length -= count;
	memmove(buffer->bytes, buffer->bytes + count, buffer->length);
}

int qmp_server_open(void) {
	if (vchan_open(&vchan, DOM0) != 0) return -1;
	open_for_clients = true;
	return 0;
}

int qmp_server_publish(unsigned own_domid, unsigned guest) {
	snprintf(path, sizeof path, "device-model/%u/qmp-vchan", guest);
	return vchan_publish(&vchan, path, own_domid, DOM0);
}

static void close_monitor(void) {
	if (monitor >= 0) close(monitor);
	monitor = -1;
	to_monitor.length = to_client.length = 0;
}

/* Without blocking: QEMU takes what it takes. Returns false when its side is closed. */
static bool flush_to_monitor(void) {
	while (to_monitor.length > 0) {
		ssize_t sent = send(monitor, to_monitor.bytes, to_monitor.length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR) continue;
		if (sent < 0) return errno == EAGAIN;
		consume(&to_monitor, (size_t)sent);
	}
	return true;
}

static void receive_from_client(void) {
	to_monitor.length += vchan_receive(&vchan, to_monitor.bytes + to_monitor.length, BUFFER_BYTES - to_monitor.length);
}

/* What the client sent before it left still goes to QEMU; what it left unread goes nowhere. */
static void end_session(void) {
	receive_from_client();
	flush_to_monitor();
	close_monitor();
}

static void begin_session(void) {
	vchan_set_live(&vchan, true);
	monitor = connect_monitor();
	sessions++;
	if (monitor < 0) {
		log_line("QMP session %lu: no monitor: %s", sessions, strerror(errno));
		vchan_set_live(&vchan, false);
	}
}

static void follow_client(void) {
	if (vchan_accept(&vchan)) {
		if (monitor >= 0) end_session();
		begin_session();
	} else if (!vchan_has_client(&vchan)) {
		if (monitor >= 0) end_session();
		vchan_drop_unread(&vchan);
	}
}

/* Returns false when QEMU ended the session. */
static bool pump(bool monitor_readable) {
	for (bool moved = true; moved;) {
		size_t before = to_monitor.length;
		receive_from_client();
		moved = to_monitor.length > before;
		if (!flush_to_monitor()) return false;
		moved = moved && to_monitor.length == 0;
		if (to_client.length == 0 && monitor_readable) {
			ssize_t got = recv(monitor, to_client.bytes, BUFFER_BYTES, MSG_DONTWAIT);
			if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return false;
			monitor_readable = got > 0;
			if (got > 0) to_client.length = (size_t)got;
		}
		if (to_client.length > 0) consume(&to_client, vchan_send(&vchan, to_client.bytes, to_client.length));
		if (to_client.length == 0 && monitor_readable) moved = true;
	}
	return true;
}

void qmp_server_prepare(struct pollfd *fds) {
	fds[0] = (struct pollfd){.fd = open_for_clients ? vchan.events : -1, .events = POLLIN};
	short wanted = (short)((to_client.length == 0 ? POLLIN : 0) | (to_monitor.length > 0 ? POLLOUT : 0));
	/* With nothing wanted the descriptor stays out: poll would report a hang-up over and over. */
	fds[1] = (struct pollfd){.fd = wanted ? monitor : -1, .events = wanted};
}

void qmp_server_run(const struct pollfd *fds) {
	if (!open_for_clients) return;
	if (fds[0].revents) vchan_take_event(&vchan);
	if (fds[0].revents) follow_client();
	if (monitor < 0 || !(fds[0].revents | fds[1].revents)) return;
	if (pump(fds[1].revents & (POLLIN | POLLHUP | POLLERR))) return;
	log_line("QMP session %lu: ended by the device model", sessions);
	close_monitor();
	vchan_set_live(&vchan, false);
}

void qmp_server_close(void) {
	if (!open_for_clients) return;
	close_monitor();
	vchan_set_live(&vchan, false);
	if (*path) vchan_withdraw(path);
	open_for_clients = false;
}
