#include "xenstore.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "small-file.h"

enum { REPLY_WATCH_EVENT = 15, REPLY_ERROR = 16, ANSWER_TIMEOUT_MS = 10000, LANE_COUNT = 8 };

struct header {
	uint32_t type, request_id, transaction_id, length;
};

struct lane {
	int fd;
	/* Under way, or NULL. */
	struct xenstore_request *request;
	uint32_t request_id;
	char incoming[sizeof(struct header) + XENSTORE_PAYLOAD_LIMIT];
	size_t incoming_length;
};

/* The first one also carries the watches. */
static struct lane lanes[LANE_COUNT];
static uint32_t next_request_id = 1;
static bool watch_fired;

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

static int open_lane(struct lane *lane) {
	lane->request = NULL;
	lane->incoming_length = 0;
	lane->fd = open("/dev/xen/xenbus", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return lane->fd < 0 ? -1 : 0;
}

int xenstore_open(void) {
	for (int i = 0; i < LANE_COUNT; i++)
		if (open_lane(&lanes[i]) != 0) return -1;
	return 0;
}

int xenstore_fd(void) {
	return lanes[0].fd;
}

static int send_request(struct lane *lane, struct xenstore_request *request) {
	static char message[sizeof(struct header) + XENSTORE_PAYLOAD_LIMIT];
	size_t path_length = strlen(request->path) + 1;
	if (path_length + request->value_length > XENSTORE_PAYLOAD_LIMIT) {
		errno = E2BIG;
		return -1;
	}
	lane->request_id = next_request_id++;
	struct header header = {request->operation, lane->request_id, 0, (uint32_t)(path_length + request->value_length)};
	memcpy(message, &header, sizeof header);
	memcpy(message + sizeof header, request->path, path_length);
	if (request->value_length > 0)
		memcpy(message + sizeof header + path_length, request->value, request->value_length);
	size_t total = sizeof header + header.length;
	/* The driver takes a whole message in one write or refuses it. */
	if (write(lane->fd, message, total) != (ssize_t)total) return -1;
	lane->request = request;
	return 0;
}

/* Reads what is there, up to the end of one message. Returns 1 when it is complete, 0 when not yet, -1 with errno. */
static int take_message(struct lane *lane, struct header *header) {
	for (;;) {
		size_t wanted = sizeof *header;
		if (lane->incoming_length >= sizeof *header) {
			memcpy(header, lane->incoming, sizeof *header);
			if (header->length > XENSTORE_PAYLOAD_LIMIT) {
				errno = EPROTO;
				return -1;
			}
			wanted += header->length;
			if (lane->incoming_length == wanted) {
				lane->incoming_length = 0;
				return 1;
			}
		}
		ssize_t got = read(lane->fd, lane->incoming + lane->incoming_length, wanted - lane->incoming_length);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0 && errno == EAGAIN) return 0;
		if (got <= 0) return -1;
		lane->incoming_length += (size_t)got;
	}
}

/* Takes messages until the lane's request is answered or nothing is left. Returns 1 when answered, 0, or -1 with errno. */
static int take_answer(struct lane *lane) {
	struct header header;
	int taken;
	while ((taken = take_message(lane, &header)) > 0) {
		if (header.type == REPLY_WATCH_EVENT) watch_fired = true;
		struct xenstore_request *request = lane->request;
		if (header.type == REPLY_WATCH_EVENT || !request || header.request_id != lane->request_id) continue;
		request->reply = malloc(header.length + 1);
		if (!request->reply) return -1;
		memcpy(request->reply, lane->incoming + sizeof header, header.length);
		request->reply[header.length] = '\0';
		request->length = header.length;
		request->error = header.type == REPLY_ERROR ? errno_of_name(request->reply) : 0;
		lane->request = NULL;
		return 1;
	}
	return taken;
}

static int wait_for_any(long long deadline_ms) {
	struct pollfd fds[LANE_COUNT];
	for (int i = 0; i < LANE_COUNT; i++)
		fds[i] = (struct pollfd){.fd = lanes[i].request ? lanes[i].fd : -1, .events = POLLIN};
	long long left = deadline_ms - monotonic_ms();
	if (left > 0 && (poll(fds, LANE_COUNT, (int)left) >= 0 || errno == EINTR)) return 0;
	errno = ETIMEDOUT;
	return -1;
}

static int run_on_lanes(struct xenstore_request *requests, size_t count, long long deadline_ms) {
	for (size_t sent = 0, answered = 0; answered < count;) {
		for (int i = 0; i < LANE_COUNT && sent < count; i++)
			if (!lanes[i].request && send_request(&lanes[i], &requests[sent++]) != 0) return -1;
		if (wait_for_any(deadline_ms) != 0) return -1;
		for (int i = 0; i < LANE_COUNT; i++) {
			int taken = lanes[i].request ? take_answer(&lanes[i]) : 0;
			if (taken < 0) return -1;
			answered += (size_t)taken;
		}
	}
	return 0;
}

int xenstore_run(struct xenstore_request *requests, size_t count, int timeout_ms) {
	for (size_t i = 0; i < count; i++) {
		requests[i].reply = NULL;
		requests[i].error = EIO;
	}
	if (run_on_lanes(requests, count, monotonic_ms() + timeout_ms) == 0) return 0;
	int failure = errno;
	/* What is still under way must never be answered into memory that the caller takes back. */
	for (int i = 0; i < LANE_COUNT; i++) {
		if (!lanes[i].request) continue;
		close(lanes[i].fd);
		open_lane(&lanes[i]);
	}
	errno = failure;
	return -1;
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
	take_answer(&lanes[0]);
	bool fired = watch_fired;
	watch_fired = false;
	return fired;
}
