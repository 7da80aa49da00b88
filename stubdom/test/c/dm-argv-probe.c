/* Reads a list of "name=value" arguments (each argument of this program), serves them as dm-argv, and prints what
 * init makes of them: "problem: …", or one line per argument. In a value, %0 stands for a NUL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dm-argv.h"
#include "fake-xenstore.h"

int main(int count, char **items) {
	static char names[65536];
	size_t length = 0;
	for (int i = 1; i < count; i++) {
		char *value = strchr(items[i], '=');
		*value++ = '\0';
		size_t value_length = strlen(value);
		char *nul = strstr(value, "%0");
		if (nul) *nul = '\0';
		char path[128];
		snprintf(path, sizeof path, "/vm/x/image/dm-argv/%s", items[i]);
		fake_node(path, value, value_length);
		memcpy(names + length, items[i], strlen(items[i]) + 1);
		length += strlen(items[i]) + 1;
	}
	if (count > 1) fake_node("/vm/x/image/dm-argv", names, length);
	static struct dm_argv argv;
	const char *problem = read_dm_argv("/vm/x", &argv);
	if (problem) printf("problem: %s\n", problem);
	if (!problem) replace_in_dm_argv(&argv, "$STUBDOM_RESTORE_INCOMING_ARG", "fd:7");
	for (size_t i = 0; !problem && i < argv.count; i++) printf("%s\n", argv.items[i]);
	return 0;
}
