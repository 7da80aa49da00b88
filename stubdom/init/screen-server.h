#pragma once
#include <poll.h>

#include "dm-argv.h"

/* QEMU's VNC over vchans at device-model/<guest>/screen-vchan/<slot> for domain 0: bytes, one viewer for each slot. QEMU
 * listens on a socket of this domain whose path is fixed here: nothing is connected to because an argument names it. */

/* Each takes 17 pages of this domain's memory, shared with domain 0, whether somebody looks or not. */
enum { SCREEN_SLOTS = 4, SCREEN_SERVER_POLLFDS = 2 * SCREEN_SLOTS };

/* Shares the memory if QEMU's arguments make it serve a screen on the socket; otherwise nothing is ever offered.
 * Returns 0, or -1 with errno. */
int screen_server_open(const struct dm_argv *argv);
/* Makes them known in xenstore: before QMP is, so that who finds that one finds these. Returns 0, or -1 with errno. */
int screen_server_publish(unsigned own_domid, unsigned guest);
/* Fills in what to wait for. */
void screen_server_prepare(struct pollfd *fds);
/* Moves what can be moved, after poll. */
void screen_server_run(const struct pollfd *fds);
/* The device model is gone: ends the sessions and tells the viewers. */
void screen_server_close(void);
