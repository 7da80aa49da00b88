#pragma once
#include "dm-argv.h"

/* Waits for the block devices that the arguments name (file=/dev/xvdX): their front ends connect asynchronously, and
 * QEMU opens them at once; and fetches the files of a direct kernel boot. Returns NULL, or what is missing. */
const char *await_disks(struct dm_argv *argv);
