#pragma once
#include <stddef.h>

/* QEMU's arguments as the toolstack left them in xenstore: <vm path>/image/dm-argv/NNN (docs/misc/stubdom.txt). */

enum { DM_ARGV_LIMIT = 1024 };

struct dm_argv {
	char *items[DM_ARGV_LIMIT];
	size_t count;
};

/* Reads the arguments in the order of their numbers. Returns NULL, or a sentence saying what is wrong. */
const char *read_dm_argv(const char *vm_path, struct dm_argv *argv);
/* Puts text in place of every occurrence of the marker. Returns how many arguments changed, or -1 without memory. */
int replace_in_dm_argv(struct dm_argv *argv, const char *marker, const char *text);
/* The part of the argument after prefix, when the argument starts with it, else NULL. */
const char *after_prefix(const char *argument, const char *prefix);
