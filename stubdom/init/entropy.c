#include "entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "log.h"

enum { SEED_BYTES = 32 };

static unsigned nibble(char digit) {
	return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)((digit | 0x20) - 'a' + 10);
}

void seed_random_numbers(const char *hex) {
	/* struct rand_pool_info with room for the bytes behind it (random(4)). */
	struct {
		int entropy_bits, byte_count;
		unsigned char bytes[SEED_BYTES];
	} seed = {.entropy_bits = 8 * SEED_BYTES, .byte_count = SEED_BYTES};
	if (strlen(hex) != 2 * SEED_BYTES || strspn(hex, "0123456789abcdefABCDEF") != 2 * SEED_BYTES) {
		log_line("the toolstack's random-seed is no seed");
		return;
	}
	for (int i = 0; i < SEED_BYTES; i++) seed.bytes[i] = (unsigned char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &seed) != 0) log_line("cannot seed random numbers: %s", strerror(errno));
	if (fd >= 0) close(fd);
}
