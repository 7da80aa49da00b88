#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "dm-argv.h"

/* Media that the toolstack puts into the guest's CD drives while QEMU runs: each comes as a new PV disk of this domain,
 * is opened here, and is given to QEMU as a descriptor set with the text "stub-devid:<number of the virtual device>",
 * which the toolstack waits for (libxl_disk.c of Xen 4.20: the cdrom_insert callbacks). QEMU's monitor for that is the
 * one that init holds. */

/* From here on new disks are noticed. The arguments tell which drives QEMU has. Returns 0, or -1 with errno. */
int media_watch(const struct dm_argv *argv);
/* For poll: readable when there is news of devices; -1 when nothing is watched. */
int media_fd(void);
/* Takes the kernel's news and gives QEMU what is new, over its monitor (-1: there is none). */
void media_take_events(int monitor);
/* What QEMU says on its monitor: a medium that waited for an answer makes room for the next. */
void media_take_answer(int monitor, const char *bytes, size_t length);

/* For tests: the number and the name of a disk that a message of the kernel says is new. */
bool parse_new_disk(const char *message, size_t length, unsigned *devid, char *name, size_t name_size);
