#pragma once
#include <net/if.h>
#include <stddef.h>

#include "dm-argv.h"

enum { NIC_LIMIT = 16, MAC_TEXT_SIZE = sizeof "00:16:3e:00:00:00" };

/* A card that QEMU emulates, with the tap that carries its frames. */
struct emulated_nic {
	char tap[IFNAMSIZ];
	/* As the argument has it: six hexadecimal bytes with colons, in lower case. */
	char mac[MAC_TEXT_SIZE];
};

/* Finds the pairs of `-netdev type=tap,id=X,ifname=…` and `-device …,netdev=X,mac=…`, in the order of the former.
 * Returns NULL, or a sentence saying what is wrong. */
const char *find_emulated_nics(const struct dm_argv *argv, struct emulated_nic *nics, size_t *count);
