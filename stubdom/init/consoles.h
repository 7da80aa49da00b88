#pragma once
#include "dm-argv.h"

/* The PV consoles beyond the log: /dev/hvc1 takes QEMU's state when saving, /dev/hvc2 gives it when restoring, each
 * further one is a serial port of the guest. hvc terminals start cooked (echo, CR/LF mapping) and go back to that on
 * their last close, so init opens every one before QEMU starts, makes it raw and keeps it open. */

struct consoles {
	/* Descriptors that QEMU inherits, or -1: write only on hvc1, read only on hvc2. */
	int save, restore;
};

/* Opens the consoles that exist in xenstore and those that the arguments name. Returns NULL, or what went wrong. */
const char *open_consoles(const struct dm_argv *argv, struct consoles *consoles);
