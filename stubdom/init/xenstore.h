#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A client of xenstore over /dev/xen/xenbus that keeps several requests under way, since a round trip to xenstored costs
 * far more than a request does. The driver keeps a request in the open file's own buffer until it gets to send it, so a
 * second write to the same descriptor overwrites the first: hence one descriptor per request under way.
 * Wire format and numbers: xen/include/public/io/xs_wire.h. Paths without a leading slash are relative to the
 * domain's own directory. */

enum xenstore_operation {
	XENSTORE_DIRECTORY = 1,
	XENSTORE_READ = 2,
	XENSTORE_WATCH = 4,
	XENSTORE_WRITE = 11,
	XENSTORE_MKDIR = 12,
	XENSTORE_RM = 13,
	XENSTORE_SET_PERMS = 14,
};

/* XENSTORE_PAYLOAD_MAX of the wire format. */
enum { XENSTORE_PAYLOAD_LIMIT = 4096 };

struct xenstore_request {
	enum xenstore_operation operation;
	const char *path;
	/* WRITE: the bytes; SET_PERMS: strings, each with its NUL; WATCH: the token with its NUL. */
	const char *value;
	size_t value_length;
	/* Filled in: 0 or an errno; the payload, always followed by a NUL that length does not count; the caller frees. */
	int error;
	char *reply;
	size_t length;
};

/* Returns 0, or -1 with errno. */
int xenstore_open(void);
/* Runs all requests; xenstored sees them in this order. Returns 0 when each was answered (look at their errors), or -1 with errno. */
int xenstore_run(struct xenstore_request *requests, size_t count, int timeout_ms);
/* One text value; returns a string to free, or NULL with errno. A value with a NUL inside is EILSEQ. */
char *xenstore_read_text(const char *path);
/* Writes one text value. Returns 0, or -1 with errno. */
int xenstore_write_text(const char *path, const char *text);
/* For poll: readable when a watch may have fired. */
int xenstore_fd(void);
/* Takes what has arrived, without waiting. Returns true when a watch fired since the last call. */
bool xenstore_take_watch_events(void);
