#include "screen-server.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "session.h"

_Static_assert((int)SCREEN_SERVER_POLLFDS == (int)SCREEN_SLOTS * (int)SESSION_POLLFDS, "one session for each slot");

#define SCREEN_SOCKET "/run/bulkhead-screen.sock"

/* Keys and clipboards one way, 2 KiB inside the control page; pixels the other, 64 KiB in 16 pages. */
enum { TO_QEMU_ORDER = 11, FROM_QEMU_ORDER = 16 };

static struct session sessions[SCREEN_SLOTS];
static size_t slots;

static int connect_screen(void) {
	static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SCREEN_SOCKET};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) return -1;
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
	int failure = errno;
	close(fd);
	errno = failure;
	return -1;
}

/* Whether QEMU is told "-vnc unix:<our socket>", with options or without. */
static bool serves_screen(const struct dm_argv *argv) {
	for (size_t i = 0; i + 1 < argv->count; i++) {
		if (strcmp(argv->items[i], "-vnc") != 0) continue;
		const char *rest = after_prefix(argv->items[i + 1], "unix:" SCREEN_SOCKET);
		if (rest && (*rest == '\0' || *rest == ',')) return true;
	}
	return false;
}

int screen_server_open(const struct dm_argv *argv) {
	if (!serves_screen(argv)) return 0;
	while (slots < SCREEN_SLOTS) {
		struct session *session = &sessions[slots];
		snprintf(session->name, sizeof session->name, "screen %zu", slots);
		session->connect = connect_screen;
		if (session_open(session, TO_QEMU_ORDER, FROM_QEMU_ORDER) != 0) return -1;
		slots++;
	}
	return 0;
}

int screen_server_publish(unsigned own_domid, unsigned guest) {
	for (size_t i = 0; i < slots; i++) {
		char path[sizeof sessions[i].path];
		snprintf(path, sizeof path, "device-model/%u/screen-vchan/%zu", guest, i);
		if (session_publish(&sessions[i], path, own_domid) != 0) return -1;
	}
	return 0;
}

void screen_server_prepare(struct pollfd *fds) {
	for (size_t i = 0; i < SCREEN_SLOTS; i++) {
		if (i < slots) session_prepare(&sessions[i], fds + i * SESSION_POLLFDS);
		else fds[i * SESSION_POLLFDS].fd = fds[i * SESSION_POLLFDS + 1].fd = -1;
	}
}

void screen_server_run(const struct pollfd *fds) {
	for (size_t i = 0; i < slots; i++) session_run(&sessions[i], fds + i * SESSION_POLLFDS);
}

void screen_server_close(void) {
	for (size_t i = 0; i < slots; i++) session_close(&sessions[i]);
}
