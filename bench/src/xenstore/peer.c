/*
 * libxenstore's client, in dom0: `peer ROOT`, with the socket in XENSTORED_PATH. Reads lines `CASE COUNT` and answers
 * each with the nanoseconds that it took. The library has no way to ask without waiting for the answer: requests that do
 * not depend on each other follow one another.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

#define VALUE "01234567890123456789"

/* A handle that watches reads by a thread of its own, which costs every request: so that one only watches. */
static struct xs_handle *xs, *watcher;
static char node[256], watched[256], names[3][256];

static void check(bool ok, const char *what)
{
	if (ok) return;
	perror(what);
	exit(1);
}

static void read_node(xs_transaction_t t)
{
	unsigned int length;
	char *value = xs_read(xs, t, node, &length);
	check(value && length == strlen(VALUE), "read");
	free(value);
}

static void write_node(xs_transaction_t t, const char *path)
{
	check(xs_write(xs, t, path, VALUE, strlen(VALUE)), "write");
}

static void transact(void)
{
	xs_transaction_t t = xs_transaction_start(xs);
	check(t != XBT_NULL, "transaction");
	read_node(t);
	for (int i = 0; i < 3; i++) write_node(t, names[i]);
	check(xs_transaction_end(xs, t, false), "end of transaction");
}

static void await_event(void)
{
	unsigned int count;
	char **event = xs_read_watch(watcher, &count);
	check(event, "event");
	free(event);
}

/*
 * READs of the protocol by a bare socket, as many under way at once as our client has: what the server alone takes, to
 * which no client can be faster. A reply is a header of 16 bytes and the value.
 */
static void read_by_bare_socket(int count)
{
	enum { MOST = 128, HEADER = 16, REPLY = HEADER + sizeof(VALUE) - 1 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char requests[MOST * (HEADER + sizeof(node))], replies[MOST * REPLY];
	size_t name = strlen(node) + 1, length = HEADER + name, bytes = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", getenv("XENSTORED_PATH"));
	check(fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)), "connect");
	for (int i = 0; i < MOST; i++) {
		uint32_t header[4] = { 2, 0, 0, name };
		memcpy(requests + i * length, header, HEADER);
		memcpy(requests + i * length + HEADER, node, name);
	}
	for (int asked = 0; bytes < (size_t)count * REPLY;) {
		int under_way = asked - (int)(bytes / REPLY);
		int more = count - asked < MOST - under_way ? count - asked : MOST - under_way;
		check(more == 0 || write(fd, requests, more * length) == (ssize_t)(more * length), "requests");
		asked += more;
		ssize_t got = read(fd, replies, sizeof(replies));
		check(got > 0, "replies");
		bytes += (size_t)got;
	}
	close(fd);
}

static void run(const char *name, int count)
{
	if (!strcmp(name, "socket-many")) {
		read_by_bare_socket(count);
		return;
	}
	if (!strcmp(name, "watch")) {
		check(xs_watch(watcher, watched, "t"), "watch");
		await_event();
		for (int i = 0; i < count; i++) {
			write_node(XBT_NULL, watched);
			await_event();
		}
		check(xs_unwatch(watcher, watched, "t"), "unwatch");
		return;
	}
	for (int i = 0; i < count; i++)
		if (!strncmp(name, "read", 4)) read_node(XBT_NULL);
		else if (!strncmp(name, "write", 5)) write_node(XBT_NULL, node);
		else transact();
}

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

int main(int argc, char **argv)
{
	char name[64];
	int count;

	if (argc != 2) return 2;
	check((xs = xs_open(0)) != NULL && (watcher = xs_open(0)) != NULL, "open");
	snprintf(node, sizeof(node), "%s/node", argv[1]);
	snprintf(watched, sizeof(watched), "%s/watched", argv[1]);
	for (int i = 0; i < 3; i++) snprintf(names[i], sizeof(names[i]), "%s/t0/%c", argv[1], 'a' + i);
	write_node(XBT_NULL, node);
	for (int i = 0; i < 3; i++) write_node(XBT_NULL, names[i]);
	puts("ready");
	fflush(stdout);
	while (scanf("%63s %d", name, &count) == 2) {
		int64_t started = now();
		run(name, count);
		printf("%lld\n", (long long)(now() - started));
		fflush(stdout);
	}
	xs_rm(xs, XBT_NULL, argv[1]);
	xs_close(watcher);
	xs_close(xs);
	return 0;
}
