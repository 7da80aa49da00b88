#pragma once
#include <poll.h>

/* QEMU's QMP over a vchan at device-model/<guest>/qmp-vchan for domain 0: bytes, no framing, one client at a time, a
 * fresh monitor session (with its greeting) for each. */

enum { QMP_SERVER_POLLFDS = 2 };

/* Shares the page. Returns 0, or -1 with errno. */
int qmp_server_open(void);
/* Makes it known in xenstore. Returns 0, or -1 with errno. */
int qmp_server_publish(unsigned own_domid, unsigned guest);
/* Fills in what to wait for. */
void qmp_server_prepare(struct pollfd *fds);
/* Moves what can be moved, after poll. */
void qmp_server_run(const struct pollfd *fds);
/* The device model is gone: ends the session and tells the client. */
void qmp_server_close(void);
