#include "xenstore.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "small-file.h"

enum { REPLY_WATCH_EVENT = 15, REPLY_ERROR = 16, ANSWER_TIMEOUT_MS = 10000 };

struct header {
	uint32_t type, request_id, transaction_id, length;
};

static int bus = -1;
static uint32_t next_request_id = 1;
static bool watch_fired;
static char incoming[sizeof(struct header) + XENSTORE_PAYLOAD_LIMIT];
static size_t incoming_length;

/* The names of xs_errors in xs_wire.h that a guest can meet. */
static int errno_of_name(const char *name) {
	static const struct {
		const char *name;
		int number;
	} known[] = {{"ENOENT", ENOENT}, {"EACCES", EACCES}, {"EINVAL", EINVAL}, {"EEXIST", EEXIST}, {"E2BIG", E2BIG},
	             {"ENOSPC", ENOSPC}, {"EAGAIN", EAGAIN}, {"EBUSY", EBUSY},   {"EPERM", EPERM},   {"ENOMEM", ENOMEM}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(name, known[i].name) == 0) return known[i].number;
	return EIO;
}

int xenstore_open(void) {
	bus = open("/dev/xen/xenbus", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return bus < 0 ? -1 : 0;
}

int xenstore_fd(void) {
	return bus;
}

static int send_request(const struct xenstore_request *request, uint32_t id) {
	static char message[sizeof(struct header) + XENSTORE_PAYLOAD_LIMIT];
	size_t path_length = strlen(request->path) + 1;
	if (path_length + request->value_length > XENSTORE_PAYLOAD_LIMIT) {
		errno = E2BIG;
		return -1;
	}
	struct header header = {request->operation, id, 0, (uint32_t)(path_length + request->value_length)};
	memcpy(message, &header, sizeof header);
	memcpy(message + sizeof header, request->path, path_length);
	if (request->value_length > 0)
		memcpy(message + sizeof header + path_length, request->value, request->value_length);
	size_t total = sizeof header + header.length;
	/* The driver takes a whole message in one write or refuses it. */
	return write(bus, message, total) == (ssize_t)total ? 0 : -1;
}

/* Takes one whole message out of the incoming bytes, reading what is there. Returns 1, or 0 when none is complete. */
static int take_message(struct header *header, const char **payload) {
	for (;;) {
		if (incoming_length >= sizeof *header) {
			memcpy(header, incoming, sizeof *header);
			if (header->length > XENSTORE_PAYLOAD_LIMIT) {
				errno = EPROTO;
				return -1;
			}
			if (incoming_length >= sizeof *header + header->length) {
				*payload = incoming + sizeof *header;
				return 1;
			}
		}
		size_t wanted = sizeof *header;
		if (incoming_length >= sizeof *header) wanted += header->length;
		ssize_t got = read(bus, incoming + incoming_length, wanted - incoming_length);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0 && errno == EAGAIN) return 0;
		if (got <= 0) return -1;
		incoming_length += (size_t)got;
	}
}

static int take_reply(struct xenstore_request *requests, size_t count, uint32_t first_id) {
	struct header header;
	const char *payload;
	int taken = take_message(&header, &payload);
	if (taken <= 0) return taken;
	incoming_length = 0;
	if (header.type == REPLY_WATCH_EVENT) {
		watch_fired = true;
		return 2;
	}
	uint32_t index = header.request_id - first_id;
	if (index >= count || requests[index].reply) return 2;
	struct xenstore_request *request = &requests[index];
	request->reply = malloc(header.length + 1);
	if (!request->reply) return -1;
	memcpy(request->reply, payload, header.length);
	request->reply[header.length] = '\0';
	request->length = header.length;
	request->error = header.type == REPLY_ERROR ? errno_of_name(request->reply) : 0;
	return 1;
}

int xenstore_run(struct xenstore_request *requests, size_t count, int timeout_ms) {
	uint32_t first_id = next_request_id;
	next_request_id += (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		requests[i].reply = NULL;
		requests[i].error = EIO;
		if (send_request(&requests[i], first_id + (uint32_t)i) < 0) return -1;
	}
	long long deadline = monotonic_ms() + timeout_ms;
	for (size_t answered = 0; answered < count;) {
		int taken = take_reply(requests, count, first_id);
		if (taken < 0) return -1;
		if (taken == 1) answered++;
		if (taken != 0) continue;
		long long left = deadline - monotonic_ms();
		struct pollfd readable = {.fd = bus, .events = POLLIN};
		if (left <= 0 || (poll(&readable, 1, (int)left) < 0 && errno != EINTR)) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
	return 0;
}

char *xenstore_read_text(const char *path) {
	struct xenstore_request request = {.operation = XENSTORE_READ, .path = path};
	int outcome = xenstore_run(&request, 1, ANSWER_TIMEOUT_MS);
	if (outcome == 0 && request.error == 0 && strlen(request.reply) == request.length) return request.reply;
	int failure = outcome < 0 ? errno : request.error ? request.error : EILSEQ;
	free(request.reply);
	errno = failure;
	return NULL;
}

int xenstore_write_text(const char *path, const char *text) {
	struct xenstore_request request = {
		.operation = XENSTORE_WRITE, .path = path, .value = text, .value_length = strlen(text)};
	if (xenstore_run(&request, 1, ANSWER_TIMEOUT_MS) < 0) return -1;
	free(request.reply);
	errno = request.error;
	return request.error == 0 ? 0 : -1;
}

bool xenstore_take_watch_events(void) {
	while (take_reply(NULL, 0, 0) > 0) continue;
	bool fired = watch_fired;
	watch_fired = false;
	return fired;
}
