#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PENDING_LIMIT = 32 * 1024, LINE_LIMIT = 1024 };

static int console = -1;
static char pending[PENDING_LIMIT];
static size_t pending_length;
static unsigned long dropped_lines;

void log_open(void) {
	console = open("/dev/console", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool log_flush(int timeout_ms) {
	while (pending_length > 0) {
		ssize_t written = write(console, pending, pending_length);
		if (written > 0) {
			pending_length -= (size_t)written;
			memmove(pending, pending + written, pending_length);
			continue;
		}
		if (written < 0 && errno == EINTR) continue;
		if (written < 0 && errno != EAGAIN) return false;
		struct pollfd room = {.fd = console, .events = POLLOUT};
		if (timeout_ms <= 0 || poll(&room, 1, timeout_ms) <= 0) return false;
		timeout_ms /= 2;
	}
	return true;
}

int log_blocked_fd(void) {
	return pending_length > 0 ? console : -1;
}

static void append(const char *text, size_t length) {
	if (length > PENDING_LIMIT - pending_length) {
		dropped_lines++;
		return;
	}
	memcpy(pending + pending_length, text, length);
	pending_length += length;
}

void log_line(const char *format, ...) {
	if (console < 0) return;
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	char line[LINE_LIMIT];
	int start = snprintf(line, sizeof line, "bulkhead-stub[%ld.%03ld]: ", (long)now.tv_sec, now.tv_nsec / 1000000);
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line + start, sizeof line - (size_t)start - 1, format, arguments);
	va_end(arguments);
	if (length < 0) return;
	size_t total = strlen(line);
	line[total++] = '\n';
	if (dropped_lines > 0 && log_flush(0)) {
		char note[64];
		append(note, (size_t)snprintf(note, sizeof note, "bulkhead-stub: %lu lines dropped\n", dropped_lines));
		dropped_lines = 0;
	}
	append(line, total);
	log_flush(0);
}

void copy_printable(char *target, size_t size, const char *text, size_t length) {
	size_t kept = length < size - 1 ? length : size - 1;
	for (size_t i = 0; i < kept; i++) target[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
	target[kept] = '\0';
}
