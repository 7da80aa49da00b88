#define _GNU_SOURCE
#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "small-file.h"

static void load_module(const char *path, const char *parameters) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (syscall(SYS_finit_module, fd, parameters, 0) != 0 && errno != EEXIST))
		log_line("cannot load %s: %s", path, strerror(errno));
	if (fd >= 0) close(fd);
}

void load_modules(const char *list_path) {
	static char list[8192];
	if (read_small_file(list_path, list, sizeof list) < 0) return;
	char *rest = list;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (*line == '\0') continue;
		char *path = strsep(&line, " ");
		load_module(path, line ? line : "");
	}
}

void tune_drivers(void) {
	/* One control page per vchan; the default of 1024 pages is too few for the screen's frame buffer. */
	if (write_small_file("/sys/module/xen_gntalloc/parameters/limit", "16384") != 0)
		log_line("cannot raise the limit of grant pages: %s", strerror(errno));
}

void forbid_modules(void) {
	write_small_file("/proc/sys/kernel/modules_disabled", "1");
	write_small_file("/proc/sys/kernel/kexec_load_disabled", "1");
}
