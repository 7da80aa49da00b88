/* fetch_boot_files over ordinary files in the current folder. Arguments: QEMU's. Prints them as they become. */
#include <stdio.h>
#include <string.h>

#include "boot-files.h"

/* No file system is mounted: the folder itself stands for it. */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *options) {
	(void)source, (void)target, (void)type, (void)flags;
	printf("mounted %s\n", (const char *)options);
	return 0;
}

int main(int argc, char **argv) {
	static struct dm_argv arguments;
	for (int i = 1; i < argc; i++) arguments.items[arguments.count++] = strdup(argv[i]);
	const char *problem = fetch_boot_files(&arguments);
	if (problem) printf("problem: %s\n", problem);
	else
		for (size_t i = 0; i < arguments.count; i++) printf("%s\n", arguments.items[i]);
}
