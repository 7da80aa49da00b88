/* libxenvchan's own ends, with rings of any size.
 *   vchan-echo server DOMID PATH LEFT RIGHT    offers rings of at least so many bytes, gives back what comes
 *   vchan-echo client DOMID PATH BYTES         sends so many, piece by piece, and checks that each comes back */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libxenvchan.h>

enum { PIECE = 4096 };

static int serve(int domid, const char *path, size_t left, size_t right) {
	static char bytes[65536];
	struct libxenvchan *vchan = libxenvchan_server_init(NULL, domid, path, left, right);
	if (!vchan) return perror("server_init"), 1;
	vchan->blocking = 1;
	for (;;) {
		int got = libxenvchan_read(vchan, bytes, sizeof bytes);
		/* libxenvchan_send takes no more than a ring at once. */
		if (got <= 0 || libxenvchan_write(vchan, bytes, (size_t)got) != got) break;
	}
	libxenvchan_close(vchan);
	return 0;
}

static int use(int domid, const char *path, size_t total) {
	static char sent[PIECE], back[PIECE];
	struct libxenvchan *vchan = libxenvchan_client_init(NULL, domid, path);
	if (!vchan) return perror("client_init"), 1;
	vchan->blocking = 1;
	for (size_t done = 0; done < total; done += PIECE) {
		for (int i = 0; i < PIECE; i++) sent[i] = (char)(done / PIECE * 31 + (size_t)i * 7);
		if (libxenvchan_send(vchan, sent, PIECE) != PIECE) return 2;
		if (libxenvchan_recv(vchan, back, PIECE) != PIECE) return 3;
		if (memcmp(sent, back, PIECE) != 0) return 4;
	}
	libxenvchan_close(vchan);
	return 0;
}

int main(int argc, char **argv) {
	if (argc == 6 && strcmp(argv[1], "server") == 0)
		return serve(atoi(argv[2]), argv[3], strtoul(argv[4], NULL, 0), strtoul(argv[5], NULL, 0));
	if (argc == 5 && strcmp(argv[1], "client") == 0) return use(atoi(argv[2]), argv[3], strtoul(argv[4], NULL, 0));
	return 64;
}
