#pragma once
#include "dm-argv.h"

/* Joins each tap that QEMU's arguments name with the PV nic of the same address, in a bridge of their own. Without a tap:
 * nothing. Returns NULL, or what went wrong. */
const char *join_network(const struct dm_argv *argv);
