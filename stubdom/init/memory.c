#define _GNU_SOURCE
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "small-file.h"

static unsigned long value_of(const char *meminfo, const char *name) {
	const char *line = strstr(meminfo, name);
	return line ? strtoul(line + strlen(name), NULL, 10) : 0;
}

void log_memory(void) {
	char meminfo[4096];
	if (read_small_file("/proc/meminfo", meminfo, sizeof meminfo) < 0) return;
	log_line("memory: %lu KiB, %lu free, %lu available", value_of(meminfo, "MemTotal:"), value_of(meminfo, "MemFree:"),
	         value_of(meminfo, "MemAvailable:"));
}
