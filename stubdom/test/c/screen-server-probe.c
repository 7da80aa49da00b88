/* Plays domain 0's side of the screen's vchans and QEMU's VNC socket. Xen's devices are replaced below their file
 * descriptors: an event channel is a pipe, granted pages are ordinary memory. Prints one line per fact. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/types.h>
typedef uint16_t domid_t;
#include <xen/evtchn.h>
#include <xen/gntalloc.h>

#include "dm-argv.h"
#include "fake-xenstore.h"
#include "screen-server.h"

enum { GRANTS_LIMIT = 256, CONNECTIONS_LIMIT = 16 };

/* Each server opens the event channels once, then its grants: control page first. */
static struct { int events[2]; uint8_t *page, *pixels; } peers[SCREEN_SLOTS];
static int servers, connections, qemu_ends[CONNECTIONS_LIMIT], pending_end;
static bool qemu_refuses;
static unsigned next_grant = 100;

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) {
	if (strcmp(path, "/dev/xen/evtchn") == 0) {
		if (pipe2(peers[servers].events, O_NONBLOCK) != 0) abort();
		return peers[servers++].events[0];
	}
	return __real_open(strcmp(path, "/dev/xen/gntalloc") == 0 ? "/dev/null" : path, flags);
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...) {
	(void)fd;
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == IOCTL_EVTCHN_BIND_UNBOUND_PORT) return 16 + servers;
	if (request == (unsigned long)IOCTL_GNTALLOC_ALLOC_GREF) {
		struct ioctl_gntalloc_alloc_gref *allocation = argument;
		uint32_t *references = (uint32_t *)((char *)argument + offsetof(struct ioctl_gntalloc_alloc_gref, gref_ids));
		for (unsigned i = 0; i < allocation->count; i++) references[i] = next_grant++;
	}
	return 0;
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
	(void)at, (void)protection, (void)flags, (void)fd, (void)offset;
	uint8_t *pages = aligned_alloc(4096, size);
	if (size == 4096) peers[servers - 1].page = pages;
	else peers[servers - 1].pixels = pages;
	return pages;
}

/* A server unmasks a port by writing it back. */
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size) {
	for (int i = 0; i < servers; i++)
		if (fd == peers[i].events[0]) return (ssize_t)size;
	return __real_write(fd, bytes, size);
}

int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol) {
	int ends[2];
	if (family != AF_UNIX || protocol != 0 || socketpair(AF_UNIX, type, 0, ends) != 0) return -1;
	pending_end = ends[1];
	return ends[0];
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length) {
	(void)fd, (void)length;
	const struct sockaddr_un *place = (const struct sockaddr_un *)address;
	if (qemu_refuses || strcmp(place->sun_path, "/run/bulkhead-screen.sock") != 0) {
		close(pending_end);
		errno = ECONNREFUSED;
		return -1;
	}
	qemu_ends[connections++] = pending_end;
	return 0;
}

void log_line(const char *format, ...) { (void)format; }

/* ---- domain 0's side: the fields of libxenvchan.h by their offsets ---- */

enum { LEFT_PROD = 4, RIGHT_CONS = 8, RIGHT_PROD = 12, CLI_LIVE = 20, SRV_LIVE = 21, CLI_NOTIFY = 22, SRV_NOTIFY = 23 };
enum { LEFT_BYTES = 2048, RIGHT_BYTES = 65536 };

static volatile uint32_t *word(int slot, size_t offset) { return (volatile uint32_t *)(peers[slot].page + offset); }
static unsigned order(int slot, size_t offset) { return *(uint16_t *)(peers[slot].page + offset); }

static void settle(void) {
	for (int idle = 0; idle < 2;) {
		struct pollfd fds[SCREEN_SERVER_POLLFDS];
		memset(fds, 0, sizeof fds);
		screen_server_prepare(fds);
		int ready = poll(fds, SCREEN_SERVER_POLLFDS, 0);
		idle = ready > 0 ? 0 : idle + 1;
		if (ready > 0) screen_server_run(fds);
	}
}

static void raise_event(int slot) {
	uint32_t port = 17;
	if (__real_write(peers[slot].events[1], &port, sizeof port) != sizeof port) abort();
	settle();
}
static void viewer_connect(int slot) { peers[slot].page[CLI_LIVE] = 1; peers[slot].page[SRV_NOTIFY] = 1; raise_event(slot); }
static void viewer_leave(int slot) { peers[slot].page[CLI_LIVE] = 0; raise_event(slot); }
static void viewer_put(int slot, const char *text) {
	for (; *text; text++) peers[slot].page[LEFT_BYTES + ((*word(slot, LEFT_PROD))++ & (LEFT_BYTES - 1))] = (uint8_t)*text;
	raise_event(slot);
}
static size_t viewer_take(int slot, char *text, size_t size) {
	size_t length = 0;
	while (length < size - 1 && *word(slot, RIGHT_CONS) != *word(slot, RIGHT_PROD))
		text[length++] = (char)peers[slot].pixels[(*word(slot, RIGHT_CONS))++ & (RIGHT_BYTES - 1)];
	text[length] = '\0';
	if (peers[slot].page[CLI_NOTIFY] & 2) raise_event(slot);
	return length;
}
static const char *qemu_take(int connection) {
	static char text[8192];
	ssize_t got = read(qemu_ends[connection], text, sizeof text - 1);
	if (got == 0) return "<closed>";
	if (got < 0) return "<nothing>";
	text[got] = '\0';
	return text;
}
static void qemu_put(int connection, const char *text) {
	if (__real_write(qemu_ends[connection], text, strlen(text)) < 0) abort();
	settle();
}
static const char *value(const char *path) {
	static char text[16];
	const struct fake_node *node = find_fake_node(path);
	snprintf(text, sizeof text, "%.*s", node ? (int)node->length : 1, node ? node->value : "-");
	return text;
}

static void without_screen(char *second) {
	char first[] = "-vnc";
	struct dm_argv argv = {.items = {first, second}, .count = 2};
	printf("%s: %s, %d servers", second, screen_server_open(&argv) == 0 ? "fine" : "failed", servers);
	printf(", published %s\n", screen_server_publish(7, 5) == 0 && !find_fake_node("device-model/5/screen-vchan/0/ring-ref") ? "nothing" : "something");
}

int main(void) {
	char text[70000];
	without_screen("none");
	without_screen("unix:/run/bulkhead-screen.sockets");
	without_screen("unix:/etc/passwd");
	static char vnc[] = "-vnc", address[] = "unix:/run/bulkhead-screen.sock,share=force-shared";
	struct dm_argv argv = {.items = {vnc, address}, .count = 2};
	if (screen_server_open(&argv) != 0 || screen_server_publish(7, 5) != 0) return 1;
	printf("servers %d\n", servers);
	for (int slot = 0; slot < servers; slot++) {
		char path[64];
		snprintf(path, sizeof path, "device-model/5/screen-vchan/%d/ring-ref", slot);
		uint32_t *grants = (uint32_t *)(peers[slot].page + 24);
		printf("slot %d: ring-ref %s orders %u %u grants %u to %u then %u\n", slot, value(path), order(slot, 16), order(slot, 18),
		       grants[0], grants[15], grants[16]);
	}
	printf("port of slot 3: %s\n", value("device-model/5/screen-vchan/3/event-channel"));

	viewer_connect(0), viewer_connect(2);
	qemu_put(0, "RFB one"), qemu_put(1, "RFB two");
	viewer_take(0, text, sizeof text), printf("viewer 0 reads %s", text);
	viewer_take(2, text, sizeof text), printf(", viewer 2 reads %s\n", text);
	viewer_put(0, "key"), viewer_put(2, "click");
	printf("qemu reads %s", qemu_take(0));
	printf(" and %s\n", qemu_take(1));

	/* A picture larger than all buffers, read slowly; nothing may be lost or reordered. */
	static char big[300000];
	for (size_t i = 0; i < sizeof big; i++) big[i] = (char)('a' + i % 23);
	size_t fed = 0, got = 0, wrong = 0;
	while (got < sizeof big) {
		ssize_t put = fed < sizeof big ? send(qemu_ends[0], big + fed, sizeof big - fed, MSG_DONTWAIT) : 0;
		if (put > 0) fed += (size_t)put;
		settle();
		size_t part = viewer_take(0, text, 7001);
		for (size_t i = 0; i < part; i++) wrong += text[i] != (char)('a' + (got + i) % 23);
		got += part;
	}
	printf("streamed %zu wrong %zu\n", got, wrong);

	/* Leaves with a picture unread: the slot is clean before it is offered again. */
	qemu_put(0, "unread");
	viewer_leave(0);
	printf("left: qemu %s, cli_live %u, unread %u\n", qemu_take(0), peers[0].page[CLI_LIVE], *word(0, RIGHT_PROD) - *word(0, RIGHT_CONS));
	viewer_connect(0), qemu_put(2, "fresh"), viewer_take(0, text, sizeof text);
	printf("next: %s, cli_live %u\n", text, peers[0].page[CLI_LIVE]);
	viewer_put(2, "still"), printf("other slot: %s\n", qemu_take(1));

	/* QEMU closes: the viewer is told; once it has left, the slot is offered again. */
	close(qemu_ends[2]), settle();
	printf("closed by qemu: srv_live %u", peers[0].page[SRV_LIVE]);
	viewer_leave(0);
	printf(", then %u cli_live %u\n", peers[0].page[SRV_LIVE], peers[0].page[CLI_LIVE]);
	qemu_refuses = true, viewer_connect(0);
	printf("nobody there: srv_live %u\n", peers[0].page[SRV_LIVE]);
	qemu_refuses = false, viewer_leave(0), viewer_connect(0);
	printf("again: srv_live %u connections %d\n", peers[0].page[SRV_LIVE], connections);

	/* Indexes that cannot be: nothing is read out of bounds. */
	*word(2, LEFT_PROD) += 5000, raise_event(2);
	printf("impossible index: %s\n", qemu_take(1));
	screen_server_close();
	printf("end: %s, srv_live %u, ring-ref %s\n", qemu_take(1), peers[2].page[SRV_LIVE], value("device-model/5/screen-vchan/2/ring-ref"));
	return 0;
}
