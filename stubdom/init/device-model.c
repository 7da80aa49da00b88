#define _GNU_SOURCE
#include "device-model.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "confine.h"
#include "log.h"
#include "small-file.h"

#ifndef QEMU_PATH
#define QEMU_PATH "/usr/libexec/xen-qemu-system-i386"
#endif

enum { OWN_ARGUMENTS_LIMIT = 16, LINE_LIMIT = 400, LAST_WORDS_MS = 2000 };

/* In the abstract namespace: nothing to unlink, and the stub domain has no other users. */
static const struct sockaddr_un monitor_address = {.sun_family = AF_UNIX, .sun_path = "\0bulkhead-qmp"};
enum { MONITOR_ADDRESS_LENGTH = offsetof(struct sockaddr_un, sun_path) + sizeof "\0bulkhead-qmp" - 1 };

static char line[LINE_LIMIT + 1], last_line[LINE_LIMIT + 1];
static size_t line_length;
static long long last_line_ms;

/* Listening before QEMU runs, so that connecting needs no wait for QEMU to make the socket. */
static int listen_for_monitor(void) {
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (listener < 0) return -1;
	if (bind(listener, (const struct sockaddr *)&monitor_address, MONITOR_ADDRESS_LENGTH) == 0 && listen(listener, 4) == 0)
		return listener;
	close(listener);
	return -1;
}

int connect_monitor(void) {
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) return -1;
	if (connect(fd, (const struct sockaddr *)&monitor_address, MONITOR_ADDRESS_LENGTH) == 0) return fd;
	int failure = errno;
	close(fd);
	errno = failure;
	return -1;
}

static void become_device_model(const struct dm_argv *argv, const struct consoles *consoles, int listener, int held,
                                int output) {
	char qmp[96], hold[64], save[48];
	char *arguments[DM_ARGV_LIMIT + OWN_ARGUMENTS_LIMIT];
	size_t count = 0;
	snprintf(qmp, sizeof qmp, "socket,id=bulkhead-qmp,fd=%d,server=on,wait=off", listener);
	snprintf(hold, sizeof hold, "socket,id=bulkhead-hold,fd=%d", held);
	char *own[] = {"stubdom-dm", "-chardev", qmp, "-mon", "chardev=bulkhead-qmp,mode=control",
	               "-chardev", hold, "-mon", "chardev=bulkhead-hold,mode=control"};
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) arguments[count++] = own[i];
	if (consoles->save >= 0) {
		snprintf(save, sizeof save, "fd=%d,set=1,opaque=save", consoles->save);
		arguments[count++] = "-add-fd";
		arguments[count++] = save;
	}
	for (size_t i = 0; i < argv->count; i++) arguments[count++] = argv->items[i];
	arguments[count] = NULL;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(open("/dev/null", O_RDWR | O_CLOEXEC), 0);
	dup2(output, 1);
	dup2(output, 2);
	if (confine_device_model() == 0) execv(QEMU_PATH, arguments);
	fprintf(stderr, "cannot start %s: %s\n", QEMU_PATH, strerror(errno));
	_exit(127);
}

int start_device_model(const struct dm_argv *argv, const struct consoles *consoles, struct device_model *model) {
	int held[2] = {-1, -1}, output[2] = {-1, -1};
	*model = (struct device_model){.output = -1, .held_monitor = -1};
	int listener = listen_for_monitor();
	int failure = 0;
	if (listener < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, held) != 0 || pipe2(output, O_CLOEXEC) != 0 ||
	    (model->pid = fork()) < 0)
		failure = errno;
	if (failure == 0 && model->pid == 0) {
		close(held[0]);
		become_device_model(argv, consoles, listener, held[1], output[1]);
	}
	if (listener >= 0) close(listener);
	if (held[1] >= 0) close(held[1]);
	if (output[1] >= 0) close(output[1]);
	if (failure == 0) {
		fcntl(held[0], F_SETFL, O_NONBLOCK);
		fcntl(output[0], F_SETFL, O_NONBLOCK);
		model->held_monitor = held[0];
		model->output = output[0];
		return 0;
	}
	if (held[0] >= 0) close(held[0]);
	if (output[0] >= 0) close(output[0]);
	model->pid = 0;
	errno = failure;
	return -1;
}

static void end_line(void) {
	if (line_length == 0) return;
	copy_printable(last_line, sizeof last_line, line, line_length);
	last_line_ms = monotonic_ms();
	log_line("qemu: %s", last_line);
	line_length = 0;
}

bool log_device_model_output(struct device_model *model) {
	char bytes[1024];
	for (;;) {
		ssize_t got = read(model->output, bytes, sizeof bytes);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0 && errno == EAGAIN) return true;
		if (got <= 0) break;
		for (ssize_t i = 0; i < got; i++) {
			if (bytes[i] == '\n' || line_length == LINE_LIMIT) end_line();
			if (bytes[i] != '\n') line[line_length++] = bytes[i];
		}
	}
	end_line();
	close(model->output);
	model->output = -1;
	return false;
}

const char *last_words(void) {
	return monotonic_ms() - last_line_ms < LAST_WORDS_MS ? last_line : "";
}
