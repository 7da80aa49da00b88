#include "consoles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "small-file.h"
#include "xenstore.h"

/* The hvc driver has eight terminals (HVC_ALLOC_TTY_ADAPTERS). */
enum { CONSOLE_LIMIT = 8, APPEAR_TIMEOUT_MS = 10000, ANSWER_TIMEOUT_MS = 10000 };

static char problem[96];

/* The node is there from boot on, but opening gives ENODEV until the front end has found its console in xenstore. */
static int open_raw(int number, int mode, long long deadline_ms) {
	char path[16];
	snprintf(path, sizeof path, "/dev/hvc%d", number);
	int fd;
	while ((fd = open(path, mode | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)) < 0) {
		if ((errno != ENODEV && errno != ENOENT && errno != EAGAIN) || monotonic_ms() >= deadline_ms) return -1;
		struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
		nanosleep(&pause, NULL);
	}
	struct termios settings;
	if (tcgetattr(fd, &settings) == 0) {
		cfmakeraw(&settings);
		settings.c_cflag |= CLOCAL | CREAD;
		if (tcsetattr(fd, TCSANOW, &settings) == 0) return fd;
	}
	close(fd);
	return -1;
}

/* For QEMU: blocking, inherited over exec. */
static int hand_over(int fd) {
	if (fd >= 0) {
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
		fcntl(fd, F_SETFD, 0);
	}
	return fd;
}

static void mark_existing(bool *wanted) {
	struct xenstore_request list = {.operation = XENSTORE_DIRECTORY, .path = "device/console"};
	if (xenstore_run(&list, 1, ANSWER_TIMEOUT_MS) == 0 && list.error == 0)
		for (char *name = list.reply; name < list.reply + list.length; name += strlen(name) + 1)
			if (strlen(name) == 1 && (*name == '1' || *name == '2')) wanted[*name - '0'] = true;
	free(list.reply);
}

static const char *mark_named(const struct dm_argv *argv, bool *wanted) {
	for (size_t i = 0; i + 1 < argv->count; i++) {
		if (strcmp(argv->items[i], "-serial") != 0) continue;
		const char *digits = after_prefix(argv->items[i + 1], "/dev/hvc");
		if (!digits) continue;
		if (strlen(digits) != 1 || *digits < '1' || *digits >= '0' + CONSOLE_LIMIT)
			return "a serial port names a console that the kernel does not have";
		wanted[*digits - '0'] = true;
	}
	return NULL;
}

const char *open_consoles(const struct dm_argv *argv, struct consoles *consoles) {
	bool wanted[CONSOLE_LIMIT] = {false};
	consoles->save = consoles->restore = -1;
	mark_existing(wanted);
	const char *bad = mark_named(argv, wanted);
	if (bad) return bad;
	long long deadline = monotonic_ms() + APPEAR_TIMEOUT_MS;
	for (int number = 1; number < CONSOLE_LIMIT; number++) {
		if (!wanted[number]) continue;
		int mode = number == 1 ? O_WRONLY : number == 2 ? O_RDONLY : O_RDWR;
		int fd = open_raw(number, mode, deadline);
		if (fd < 0) {
			snprintf(problem, sizeof problem, "console %d did not open: %s", number, strerror(errno));
			return problem;
		}
		if (number == 1) consoles->save = hand_over(fd);
		if (number == 2) consoles->restore = hand_over(fd);
	}
	return NULL;
}
