/*
 * A plain client of QMP, in dom0: reads lines `SOCKET CLIENTS COUNT`. So many clients connect to the socket and negotiate;
 * then all of them ask query-status again and again, each as soon as it has its answer, COUNT times each. Answers with a
 * line: the nanoseconds of it all, then those of each round trip. Events are passed over. What goes wrong ends it.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CLIENTS = 16, LINE = 65536, PATIENCE_MS = 60000, TRIES = 100, RETRY_US = 100000 };

static const char NEGOTIATE[] = "{\"execute\":\"qmp_capabilities\"}\r\n";
static const char ASK[] = "{\"execute\":\"query-status\"}\r\n";

struct client {
	char line[LINE];
	size_t length;
	int64_t asked;
	int left;
};

static struct client clients[MOST_CLIENTS];
static struct pollfd fds[MOST_CLIENTS];

static void check(bool ok, const char *what)
{
	if (ok) return;
	perror(what);
	exit(1);
}

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void say(int at, const char *text)
{
	size_t length = strlen(text);
	check(write(fds[at].fd, text, length) == (ssize_t)length, "write");
}

/* False when the server has hung up. */
static bool receive(int at)
{
	struct client *client = &clients[at];
	ssize_t got = read(fds[at].fd, client->line + client->length, LINE - 1 - client->length);

	if (got > 0) client->length += (size_t)got;
	return got > 0;
}

static bool begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/* Takes one line from what was received: 1 when it is the greeting or an answer, 0 for an event, -1 when there is none. */
static int take_line(struct client *client)
{
	char *end = memchr(client->line, '\n', client->length);
	bool is_event;
	size_t length;

	if (!end) {
		check(client->length < LINE - 1, "line too long");
		return -1;
	}
	*end = 0;
	/* Members come in any order: an event may begin with its time. */
	is_event = strstr(client->line, "\"event\"") != NULL;
	if (!is_event && !begins(client->line, "{\"QMP\"") && !begins(client->line, "{\"return\"")) {
		fprintf(stderr, "trips: %s\n", client->line);
		exit(1);
	}
	length = (size_t)(end + 1 - client->line);
	client->length -= length;
	memmove(client->line, end + 1, client->length);
	return is_event ? 0 : 1;
}

/* False when the server has hung up. */
static bool await_answer(int at)
{
	for (;;) {
		int taken = take_line(&clients[at]);
		if (taken > 0) return true;
		if (taken == 0) continue;
		check(poll(&fds[at], 1, PATIENCE_MS) == 1, "no answer");
		if (!receive(at)) return false;
	}
}

static void connect_client(int at, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	check(strlen(path) < sizeof(address.sun_path), "path too long");
	strcpy(address.sun_path, path);
	fds[at] = (struct pollfd) { .fd = socket(AF_UNIX, SOCK_STREAM, 0), .events = POLLIN };
	check(fds[at].fd >= 0, "socket");
	check(connect(fds[at].fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
	clients[at].length = 0;
}

/* A server with a limit may not have noticed yet that the clients before have gone: it hangs up without a greeting. */
static void open_client(int at, const char *path)
{
	for (int tries = 1; connect_client(at, path), !await_answer(at); tries++) {
		check(tries < TRIES, "never greeted");
		close(fds[at].fd);
		usleep(RETRY_US);
	}
	say(at, NEGOTIATE);
	check(await_answer(at), "negotiation");
}

static void ask(int at)
{
	clients[at].asked = now();
	say(at, ASK);
}

/* Returns how many round trips have ended, their times at `times`. */
static int serve(int at, int64_t *times)
{
	int ended = 0, taken;

	check(receive(at), "connection lost");
	while ((taken = take_line(&clients[at])) >= 0) {
		if (taken == 0) continue;
		check(clients[at].left > 0, "an answer too many");
		times[ended++] = now() - clients[at].asked;
		if (--clients[at].left > 0) ask(at);
	}
	return ended;
}

static void run(const char *path, int count, int each)
{
	int64_t *times = malloc(sizeof(*times) * (size_t)count * (size_t)each), started;
	int done = 0;

	check(times != NULL, "memory");
	for (int at = 0; at < count; at++) open_client(at, path);
	started = now();
	for (int at = 0; at < count; at++) {
		clients[at].left = each;
		ask(at);
	}
	while (done < count * each) {
		check(poll(fds, (nfds_t)count, PATIENCE_MS) > 0, "no answer");
		for (int at = 0; at < count; at++)
			if (fds[at].revents) done += serve(at, times + done);
	}
	printf("%lld", (long long)(now() - started));
	for (int at = 0; at < done; at++) printf(" %lld", (long long)times[at]);
	puts("");
	fflush(stdout);
	for (int at = 0; at < count; at++) close(fds[at].fd);
	free(times);
}

int main(void)
{
	char path[128];
	int count, each;

	while (scanf("%127s %d %d", path, &count, &each) == 3) {
		check(count > 0 && count <= MOST_CLIENTS && each > 0, "numbers");
		run(path, count, each);
	}
	return 0;
}
