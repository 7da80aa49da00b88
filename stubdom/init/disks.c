#define _GNU_SOURCE
#include "disks.h"

#include <stdio.h>
#include <string.h>

#include "boot-files.h"
#include "small-file.h"

enum { APPEAR_TIMEOUT_MS = 20000 };

const char *await_disks(struct dm_argv *argv) {
	static char problem[64];
	long long deadline = monotonic_ms() + APPEAR_TIMEOUT_MS;
	for (size_t i = 0; i < argv->count; i++) {
		const char *file = strstr(argv->items[i], "file=/dev/xvd");
		if (!file) continue;
		const char *path = file + strlen("file=");
		char name[24];
		snprintf(name, sizeof name, "%.*s", (int)strcspn(path, ","), path);
		if (wait_for_path(name, deadline) != 0) {
			snprintf(problem, sizeof problem, "disk %s did not appear", name);
			return problem;
		}
	}
	return fetch_boot_files(argv);
}
