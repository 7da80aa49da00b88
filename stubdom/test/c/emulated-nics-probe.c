/* Takes QEMU's arguments as this program's, and prints what init finds: "problem: …", or "tap mac" for each nic. */
#include <stdio.h>

#include "emulated-nics.h"

int main(int count, char **items) {
	static struct dm_argv argv;
	for (int i = 1; i < count; i++) argv.items[argv.count++] = items[i];
	struct emulated_nic nics[NIC_LIMIT];
	size_t found;
	const char *problem = find_emulated_nics(&argv, nics, &found);
	if (problem) printf("problem: %s\n", problem);
	for (size_t i = 0; !problem && i < found; i++) printf("%s %s\n", nics[i].tap, nics[i].mac);
	return 0;
}
