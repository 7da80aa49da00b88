/*
 * One end of a vchan of libxenvchan's, the client in dom0, the server in any domain:
 *   peer server PATH LEFT RIGHT   offers rings of at least so many bytes and carries out its client's orders
 *   peer client PATH DOMID        reads lines `ORDER COUNT`, has the server carry each out, answers with the nanoseconds
 * Orders as in orders.ts, whose program this one measures beside. It ends with the other end, or with its input.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <libxenvchan.h>

enum { TAKE = 1, GIVE = 2, ECHO = 3, MESSAGE = 64, PIECE = 256 * 1024 };

static struct libxenvchan *vchan;
static char piece[PIECE];

static bool put(const void *bytes, size_t length)
{
	return libxenvchan_write(vchan, bytes, length) == (int)length;
}

/* Without a place for them, bytes are read and forgotten. */
static bool get(char *bytes, size_t length)
{
	while (length > 0) {
		int got = libxenvchan_read(vchan, bytes ? bytes : piece, bytes || length < PIECE ? length : PIECE);
		if (got <= 0) return false;
		length -= (size_t)got;
		if (bytes) bytes += got;
	}
	return true;
}

static bool put_many(size_t length)
{
	for (size_t part; length > 0; length -= part) {
		part = length < PIECE ? length : PIECE;
		if (!put(piece, part)) return false;
	}
	return true;
}

static bool serve_one(void)
{
	uint32_t order[2];
	char message[MESSAGE] = { 0 };

	if (!get((char *)order, sizeof(order))) return false;
	if (order[0] == TAKE) return get(NULL, order[1]) && put(message, 1);
	if (order[0] == GIVE) return put_many(order[1]);
	for (uint32_t trip = 0; trip < order[1]; trip++)
		if (!get(message, MESSAGE) || !put(message, MESSAGE)) return false;
	return true;
}

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void check(bool ok, const char *what)
{
	if (ok) return;
	fprintf(stderr, "peer: %s\n", what);
	exit(1);
}

static uint32_t number_of(const char *name)
{
	return !strcmp(name, "take") ? TAKE : !strcmp(name, "give") ? GIVE : ECHO;
}

static void ask(const char *name, uint32_t count)
{
	uint32_t order[2] = { number_of(name), count };
	char message[MESSAGE] = { 0 };
	int64_t started = now();

	check(put(order, sizeof(order)), "order");
	if (order[0] == ECHO) {
		for (uint32_t trip = 0; trip < count; trip++) {
			started = now();
			check(put(message, MESSAGE) && get(message, MESSAGE), "round trip");
			printf("%s%lld", trip ? " " : "", (long long)(now() - started));
		}
		return;
	}
	if (order[0] == TAKE) check(put_many(count) && get(message, 1), "take");
	else check(get(NULL, count), "give");
	printf("%lld", (long long)(now() - started));
}

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char name[16];
	unsigned count;

	if (argc == 5 && !strcmp(argv[1], "server")) {
		vchan = libxenvchan_server_init(NULL, 0, argv[2], strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0));
		check(vchan != NULL, "server");
		vchan->blocking = 1;
		say("ready");
		while (serve_one());
	} else if (argc == 4 && !strcmp(argv[1], "client")) {
		vchan = libxenvchan_client_init(NULL, atoi(argv[3]), argv[2]);
		check(vchan != NULL, "client");
		vchan->blocking = 1;
		say("ready");
		while (scanf("%15s %u", name, &count) == 2) {
			ask(name, count);
			say("");
		}
	} else {
		return 2;
	}
	libxenvchan_close(vchan);
	return 0;
}
