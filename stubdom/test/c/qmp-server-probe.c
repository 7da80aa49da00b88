/* Plays domain 0's side of the vchan and QEMU's side of the monitor against init's QMP server. Xen's devices are
 * replaced below their file descriptors: the event channel is a pipe, the granted page ordinary memory. Prints one line
 * per fact; the test compares them. */
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
#include <unistd.h>
#include <linux/types.h>
typedef uint16_t domid_t;
#include <xen/evtchn.h>
#include <xen/gntalloc.h>

#include "device-model.h"
#include "fake-xenstore.h"
#include "qmp-server.h"

static int to_server[2], listener_pair[64], pairs;
static uint8_t *page;
static unsigned server_notified;

/* ---- what lies below the server ---- */

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) {
	if (strcmp(path, "/dev/xen/evtchn") == 0) return to_server[0];
	return __real_open(strcmp(path, "/dev/xen/gntalloc") == 0 ? "/dev/null" : path, flags);
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...) {
	(void)fd;
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == IOCTL_EVTCHN_BIND_UNBOUND_PORT) return 17;
	if (request == IOCTL_EVTCHN_NOTIFY) server_notified++;
	if (request == (unsigned long)IOCTL_GNTALLOC_ALLOC_GREF) ((struct ioctl_gntalloc_alloc_gref *)argument)->gref_ids[0] = 99;
	return 0;
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
	(void)at, (void)protection, (void)flags, (void)fd, (void)offset;
	return page = aligned_alloc(4096, size);
}

/* The server unmasks a port by writing it back. */
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size) {
	return fd == to_server[0] ? (ssize_t)size : __real_write(fd, bytes, size);
}

int connect_monitor(void) {
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0) return -1;
	listener_pair[pairs++] = ends[1];
	return ends[0];
}

void log_line(const char *format, ...) { (void)format; }

/* ---- domain 0's side: the fields of libxenvchan.h by their offsets ---- */

static volatile uint32_t *word(size_t offset) { return (volatile uint32_t *)(page + offset); }
enum { LEFT_CONS = 0, LEFT_PROD = 4, RIGHT_CONS = 8, RIGHT_PROD = 12, CLI_LIVE = 20, SRV_LIVE = 21, CLI_NOTIFY = 22, SRV_NOTIFY = 23 };

static void raise_event(void) {
	uint32_t port = 17;
	if (__real_write(to_server[1], &port, sizeof port) != sizeof port) abort();
}
static void client_connect(void) { page[CLI_LIVE] = 1; page[SRV_NOTIFY] = 1; raise_event(); }
static void client_leave(void) { page[CLI_LIVE] = 0; raise_event(); }
static void client_put(const char *text) {
	for (; *text; text++) page[1024 + ((*word(LEFT_PROD))++ & 1023)] = (uint8_t)*text;
	raise_event();
}
static size_t client_take(char *text, size_t size) {
	size_t length = 0;
	while (length < size - 1 && *word(RIGHT_CONS) != *word(RIGHT_PROD)) text[length++] = (char)page[2048 + ((*word(RIGHT_CONS))++ & 2047)];
	text[length] = '\0';
	if (page[CLI_NOTIFY] & 2) raise_event();
	return length;
}

static int monitor(void) { return listener_pair[pairs - 1]; }
static void qemu_put(const char *text) { if (__real_write(monitor(), text, strlen(text)) < 0) abort(); }
static const char *qemu_take(int fd) {
	static char text[8192];
	ssize_t got = read(fd, text, sizeof text - 1);
	if (got == 0) return "<closed>";
	if (got < 0) return "<nothing>";
	text[got] = '\0';
	return text;
}

static void settle(void) {
	for (int idle = 0; idle < 2;) {
		struct pollfd fds[QMP_SERVER_POLLFDS];
		qmp_server_prepare(fds);
		int ready = poll(fds, QMP_SERVER_POLLFDS, 0);
		idle = ready > 0 ? 0 : idle + 1;
		if (ready > 0) qmp_server_run(fds);
	}
}

static const char *value(const char *path) { const struct fake_node *node = find_fake_node(path); return node ? node->value : "-"; }

int main(void) {
	char text[8192];
	if (pipe2(to_server, O_NONBLOCK) != 0 || qmp_server_open() != 0 || qmp_server_publish(7, 5) != 0) return 1;
	printf("orders %u %u live %u %u notify %u\n", page[16], page[18], page[CLI_LIVE], page[SRV_LIVE], page[CLI_NOTIFY]);
	printf("ring-ref %.2s event-channel %.2s\n", value("device-model/5/qmp-vchan/ring-ref"), value("device-model/5/qmp-vchan/event-channel"));
	settle();
	printf("sessions before a client %d\n", pairs);

	client_connect(), settle();
	qemu_put("greeting\r\n"), settle(), client_take(text, sizeof text);
	printf("first: %.8s, events %u\n", text, server_notified > 0);
	client_put("command\r\n"), settle();
	printf("qemu got %.7s\n", qemu_take(monitor()));

	/* Leaves without reading an event, which must not reach the next client. */
	int first = monitor();
	qemu_put("unread"), settle(), client_leave(), settle();
	printf("left: %s\n", qemu_take(first));
	client_connect(), settle(), client_take(text, sizeof text);
	printf("second: sessions %d, leftover [%s]\n", pairs, text);

	/* Gone and back before the server looks: one look sees cli_live = 1 again. */
	int second = monitor();
	page[CLI_LIVE] = 0, client_put("last words"), client_connect(), settle();
	printf("fast: sessions %d, old got %s", pairs, qemu_take(second));
	printf(" then %s\n", qemu_take(second));
	client_put("fresh"), settle();
	printf("new got %s\n", qemu_take(monitor()));

	/* More than all buffers hold, with a client that reads slowly; nothing may be lost or reordered. */
	static char big[60000];
	for (size_t i = 0; i < sizeof big; i++) big[i] = (char)('a' + i % 23);
	size_t fed = 0, got = 0, wrong = 0;
	while (got < sizeof big) {
		ssize_t put = fed < sizeof big ? __real_write(monitor(), big + fed, sizeof big - fed) : 0;
		if (put > 0) fed += (size_t)put;
		settle();
		size_t part = client_take(text, 700);
		for (size_t i = 0; i < part; i++) wrong += text[i] != (char)('a' + (got + i) % 23);
		got += part;
	}
	printf("streamed %zu wrong %zu\n", got, wrong);

	/* Indexes that cannot be: the ring stalls, nothing is read out of bounds, and the next client finds it clean. */
	*word(LEFT_PROD) = *word(LEFT_CONS) + 5000, raise_event(), settle();
	printf("impossible index: %s\n", qemu_take(monitor()));
	client_leave(), settle(), client_connect(), settle(), client_put("clean"), settle();
	printf("afterwards: %s\n", qemu_take(monitor()));

	/* QEMU ends the session: the client is told, and may come again. */
	close(monitor()), settle();
	printf("closed by qemu: srv_live %u\n", page[SRV_LIVE]);
	client_leave(), settle(), client_connect(), settle();
	printf("again: srv_live %u sessions %d\n", page[SRV_LIVE], pairs);
	qmp_server_close();
	printf("end: srv_live %u ring-ref %s\n", page[SRV_LIVE], value("device-model/5/qmp-vchan/ring-ref"));
	return 0;
}
