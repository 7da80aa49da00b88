#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "consoles.h"
#include "dm-argv.h"

/* QEMU as a child of init. */
struct device_model {
	/* 0 when it does not run. */
	pid_t pid;
	/* Its standard output and error, non-blocking, or -1. */
	int output;
	/* A monitor that init holds open and speaks on only about media: QEMU drops its descriptor sets (1: the save console)
	 * when no monitor is connected, and its greeting tells that QEMU's main loop runs. */
	int held_monitor;
};

/* Returns 0, or -1 with errno. */
int start_device_model(const struct dm_argv *argv, const struct consoles *consoles, struct device_model *model);
/* A fresh connection to QEMU's QMP socket, non-blocking; one at a time is served. Returns -1 with errno. */
int connect_monitor(void);
/* Logs what QEMU has printed. Returns false at the end of its output. */
bool log_device_model_output(struct device_model *model);
/* The last line QEMU printed, when it is so recent that it may tell why QEMU ended; otherwise an empty string. */
const char *last_words(void);
