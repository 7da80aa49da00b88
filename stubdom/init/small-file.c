#include "small-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

long read_small_file(const char *path, char *text, size_t size) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return -1;
	size_t length = 0;
	for (;;) {
		ssize_t got = read(fd, text + length, size - 1 - length);
		if (got < 0 && errno == EINTR) continue;
		if (got <= 0) break;
		length += (size_t)got;
	}
	close(fd);
	text[length] = '\0';
	return (long)length;
}

int write_small_file(const char *path, const char *text) {
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) return -1;
	ssize_t written = write(fd, text, strlen(text));
	int failure = errno;
	close(fd);
	errno = failure;
	return written == (ssize_t)strlen(text) ? 0 : -1;
}

bool kernel_command_line_has(const char *word) {
	char line[4096];
	if (read_small_file("/proc/cmdline", line, sizeof line) < 0) return false;
	char *rest = line;
	for (char *item = strsep(&rest, " \n"); item; item = strsep(&rest, " \n"))
		if (strcmp(item, word) == 0) return true;
	return false;
}

long long monotonic_ms(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int wait_for_path(const char *path, long long deadline_ms) {
	/* devtmpfs and sysfs send no event that is cheaper to await than a look every few milliseconds. */
	while (access(path, F_OK) != 0) {
		if (monotonic_ms() >= deadline_ms) {
			errno = ETIMEDOUT;
			return -1;
		}
		struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
		nanosleep(&pause, NULL);
	}
	return 0;
}
