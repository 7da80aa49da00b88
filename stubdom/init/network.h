#pragma once
#include "dm-argv.h"

/* Joins the stub domain's PV nic (eth0) with the tap that the arguments name, in a bridge. Without a tap: nothing.
 * Returns NULL, or what went wrong. */
const char *join_network(const struct dm_argv *argv);
