#pragma once
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "vchan-server.h"

/* Carries bytes between domain 0, the client of a vchan, and a service of this domain, one client at a time: no
 * framing, bounded buffers, a fresh connection to the service for each client. */

enum { SESSION_POLLFDS = 2, SESSION_TO_SERVICE_BYTES = 4096, SESSION_TO_CLIENT_BYTES = 16384 };

struct session {
	/* For the log: "QMP", "screen 0". */
	char name[16];
	/* Returns a non-blocking stream, or -1 with errno. */
	int (*connect)(void);
	struct vchan_server vchan;
	bool open_for_clients;
	/* What the client was told of our end. */
	bool live;
	/* Where it is published, or empty. */
	char path[64];
	/* The service's end, or -1. */
	int service;
	size_t to_service_length, to_client_length;
	char to_service[SESSION_TO_SERVICE_BYTES], to_client[SESSION_TO_CLIENT_BYTES];
	unsigned long count;
};

/* Shares the memory; name and connect are set, the rest is zero. Returns 0, or -1 with errno. */
int session_open(struct session *session, unsigned client_order, unsigned server_order);
/* Makes it known in xenstore below the path. Returns 0, or -1 with errno. */
int session_publish(struct session *session, const char *path, unsigned own_domid);
/* Fills in what to wait for. */
void session_prepare(struct session *session, struct pollfd *fds);
/* Moves what can be moved, after poll. */
void session_run(struct session *session, const struct pollfd *fds);
/* The service is gone: ends the session, tells the client, withdraws what was published. */
void session_close(struct session *session);
