/* PID 1 of a stub domain: brings up the kernel's side, starts QEMU for the guest that xenstore names, serves its QMP and
 * screen to domain 0 and tells the toolstack when QEMU dies. No shell, no other process: under emulation each fork costs. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "consoles.h"
#include "device-model.h"
#include "disks.h"
#include "dm-argv.h"
#include "entropy.h"
#include "log.h"
#include "media.h"
#include "memory.h"
#include "modules.h"
#include "mounts.h"
#include "network.h"
#include "qmp-server.h"
#include "report.h"
#include "screen-server.h"
#include "small-file.h"
#include "xenstore.h"

enum { ANSWER_TIMEOUT_MS = 10000, STOP_TIMEOUT_MS = 3000 };

static struct device_model model = {.output = -1, .held_monitor = -1};
static struct dm_argv arguments;
static unsigned own_domid, guest;
static char test_command_path[64];

static bool parse_domid(const struct xenstore_request *answer, unsigned *domid) {
	if (answer->error != 0 || answer->length == 0 || strspn(answer->reply, "0123456789") != answer->length) return false;
	unsigned long value = strtoul(answer->reply, NULL, 10);
	*domid = (unsigned)value;
	return value < 0x7ff0;
}

static const char *find_guest(void) {
	if (xenstore_open() != 0) return "no xenstore";
	struct xenstore_request requests[] = {{.operation = XENSTORE_READ, .path = "domid"},
	                                      {.operation = XENSTORE_READ, .path = "target"},
	                                      {.operation = XENSTORE_READ, .path = "random-seed"}};
	enum { COUNT = sizeof requests / sizeof requests[0] };
	if (xenstore_run(requests, COUNT, ANSWER_TIMEOUT_MS) < 0) return "xenstore does not answer";
	const char *problem = NULL;
	if (!parse_domid(&requests[0], &own_domid)) problem = "xenstore does not tell this domain's number";
	else if (!parse_domid(&requests[1], &guest)) problem = "xenstore names no target: this is no stub domain";
	/* libxl gives none. */
	if (requests[2].error == 0) seed_random_numbers(requests[2].reply);
	for (int i = 0; i < COUNT; i++) free(requests[i].reply);
	return problem;
}

static const char *read_arguments(void) {
	char path[48];
	snprintf(path, sizeof path, "/local/domain/%u/vm", guest);
	char *vm_path = xenstore_read_text(path);
	if (!vm_path) return "the guest's vm node cannot be read: is the target set in xenstored?";
	const char *problem = read_dm_argv(vm_path, &arguments);
	free(vm_path);
	return problem;
}

static const char *insert_restore_descriptor(const struct consoles *consoles) {
	char text[16];
	snprintf(text, sizeof text, "fd:%d", consoles->restore);
	int changed = replace_in_dm_argv(&arguments, "$STUBDOM_RESTORE_INCOMING_ARG", text);
	if (changed < 0) return "no memory for the arguments";
	return changed > 0 && consoles->restore < 0 ? "the guest is to be restored, but there is no console 2" : NULL;
}

static void watch_test_commands(void) {
	snprintf(test_command_path, sizeof test_command_path, "device-model/%u/test/command", guest);
	struct xenstore_request watch = {
		.operation = XENSTORE_WATCH, .path = test_command_path, .value = "test", .value_length = sizeof "test"};
	if (xenstore_run(&watch, 1, ANSWER_TIMEOUT_MS) < 0 || watch.error) log_line("cannot watch for test commands");
	free(watch.reply);
}

/* Returns NULL once QEMU runs, or what went wrong. */
static const char *start(void) {
	const char *problem = find_guest();
	if (problem) return problem;
	report_for_guest(guest);
	struct consoles consoles;
	if ((problem = read_arguments()) || (problem = open_consoles(&arguments, &consoles)) ||
	    (problem = insert_restore_descriptor(&consoles)) || (problem = join_network(&arguments)) ||
	    (problem = await_disks(&arguments)))
		return problem;
	forbid_modules();
	if (media_watch(&arguments) != 0) log_line("media cannot be changed: %s", strerror(errno));
	log_line("starting the device model of domain %u with %zu arguments", guest, arguments.count);
	for (size_t i = 0; i < arguments.count; i++) log_line("  %s", arguments.items[i]);
	if (start_device_model(&arguments, &consoles, &model) != 0) return "the device model could not be started";
	if (qmp_server_open() != 0) return "the QMP channel could not be made";
	if (screen_server_open(&arguments) != 0) return "the screen's channels could not be made";
	if (kernel_command_line_has("bulkhead.test=1")) watch_test_commands();
	return NULL;
}

static void power_off(void) {
	log_line("powering off");
	if (model.pid > 0) {
		kill(model.pid, SIGTERM);
		/* QEMU closes its disks on SIGTERM; what it wrote may still lie in this kernel's page cache. */
		for (long long deadline = monotonic_ms() + STOP_TIMEOUT_MS; monotonic_ms() < deadline; usleep(20000))
			if (waitpid(model.pid, NULL, WNOHANG) == model.pid) break;
	}
	sync();
	log_flush(500);
	reboot(RB_POWER_OFF);
}

static void report_death(int status) {
	if (model.output >= 0) log_device_model_output(&model);
	const char *last = last_words();
	const char *separator = *last ? ": " : "";
	if (WIFSIGNALED(status))
		report_failure("The device model was killed by signal %d (%s)%s%s", WTERMSIG(status),
		               strsignal(WTERMSIG(status)), separator, last);
	else
		report_failure("The device model exited with status %d%s%s", WEXITSTATUS(status), separator, last);
	model.pid = 0;
	screen_server_close();
	qmp_server_close();
	if (kernel_command_line_has("bulkhead.onerror=poweroff")) power_off();
}

static void take_signals(int signals) {
	struct signalfd_siginfo info;
	while (read(signals, &info, sizeof info) == (ssize_t)sizeof info)
		if (info.ssi_signo != SIGCHLD) power_off();
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == model.pid) report_death(status);
}

static void take_test_command(void) {
	if (!xenstore_take_watch_events() || !*test_command_path) return;
	char *command = xenstore_read_text(test_command_path);
	if (command && strcmp(command, "kill-qemu") == 0 && model.pid > 0) {
		log_line("test command: %s", command);
		kill(model.pid, SIGKILL);
	}
	free(command);
}

/* The greeting on the held monitor: QEMU answers, so clients may come. What comes later is about media. */
static void take_held_monitor(void) {
	static bool published;
	char bytes[512];
	ssize_t got = read(model.held_monitor, bytes, sizeof bytes);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		close(model.held_monitor);
		model.held_monitor = -1;
	} else if (got > 0 && published) {
		media_take_answer(model.held_monitor, bytes, (size_t)got);
	} else if (got > 0) {
		published = true;
		if (screen_server_publish(own_domid, guest) != 0)
			report_failure("The screen's channels could not be published: %s", strerror(errno));
		else if (qmp_server_publish(own_domid, guest) != 0)
			report_failure("The QMP channel could not be published: %s", strerror(errno));
		else {
			log_line("the device model answers");
			log_memory();
		}
	}
}

static void serve(int signals) {
	for (;;) {
		enum { SIGNALS, OUTPUT, HELD, MEDIA, XENSTORE, LOG, QMP, SCREEN = QMP + QMP_SERVER_POLLFDS, COUNT = SCREEN + SCREEN_SERVER_POLLFDS };
		struct pollfd fds[COUNT] = {
			[SIGNALS] = {.fd = signals, .events = POLLIN},
			[OUTPUT] = {.fd = model.output, .events = POLLIN},
			[HELD] = {.fd = model.held_monitor, .events = POLLIN},
			[MEDIA] = {.fd = media_fd(), .events = POLLIN},
			[XENSTORE] = {.fd = *test_command_path ? xenstore_fd() : -1, .events = POLLIN},
			[LOG] = {.fd = log_blocked_fd(), .events = POLLOUT},
		};
		qmp_server_prepare(fds + QMP);
		screen_server_prepare(fds + SCREEN);
		if (poll(fds, COUNT, -1) < 0 && errno != EINTR) log_line("poll: %s", strerror(errno));
		if (fds[LOG].revents) log_flush(0);
		if (fds[OUTPUT].revents) log_device_model_output(&model);
		if (fds[HELD].revents) take_held_monitor();
		if (fds[MEDIA].revents) media_take_events(model.held_monitor);
		if (fds[XENSTORE].revents) take_test_command();
		qmp_server_run(fds + QMP);
		screen_server_run(fds + SCREEN);
		if (fds[SIGNALS].revents) take_signals(signals);
	}
}

int main(void) {
	/* The kernel runs /sbin/poweroff, which is this program again, when control/shutdown asks for it. */
	if (getpid() != 1) return kill(1, SIGTERM);
	sigset_t handled;
	sigemptyset(&handled);
	sigaddset(&handled, SIGCHLD);
	sigaddset(&handled, SIGTERM);
	sigaddset(&handled, SIGINT);
	sigprocmask(SIG_BLOCK, &handled, NULL);
	int signals = signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC);
	mount_filesystems();
	log_line("up");
	load_modules(CORE_MODULES);
	tune_drivers();
	mount_xenfs();
	const char *problem = start();
	if (problem) {
		report_failure("%s", problem);
		if (kernel_command_line_has("bulkhead.onerror=poweroff")) power_off();
	}
	serve(signals);
}
