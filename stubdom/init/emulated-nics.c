#include "emulated-nics.h"

#include <stdbool.h>
#include <string.h>

enum { ID_SIZE = 64 };

/* The value of `key` among the options of one argument, "first,key=value,…"; a doubled comma stands for one. False when
 * it is not there, is empty, or does not fit. */
static bool option_value(const char *argument, const char *key, char *value, size_t size) {
	size_t key_length = strlen(key);
	const char *at = argument;
	for (;;) {
		bool found = strncmp(at, key, key_length) == 0 && at[key_length] == '=';
		size_t length = 0;
		if (found) at += key_length + 1;
		for (; *at && (*at != ',' || at[1] == ','); at++) {
			if (*at == ',') at++;
			if (found && length + 1 >= size) return false;
			if (found) value[length++] = *at;
		}
		if (found) {
			value[length] = '\0';
			return length > 0;
		}
		if (!*at) return false;
		at++;
	}
}

/* "type=tap,…" as toolstacks write it, "tap,…" as people do. */
static bool is_tap(const char *argument) {
	char type[8];
	if (option_value(argument, "type", type, sizeof type)) return strcmp(type, "tap") == 0;
	return strncmp(argument, "tap,", 4) == 0;
}

static bool find_mac(const struct dm_argv *argv, const char *id, char *mac) {
	char netdev[ID_SIZE];
	for (size_t i = 0; i + 1 < argv->count; i++)
		if (strcmp(argv->items[i], "-device") == 0 &&
		    option_value(argv->items[i + 1], "netdev", netdev, sizeof netdev) && strcmp(netdev, id) == 0)
			return option_value(argv->items[i + 1], "mac", mac, MAC_TEXT_SIZE);
	return false;
}

const char *find_emulated_nics(const struct dm_argv *argv, struct emulated_nic *nics, size_t *count) {
	*count = 0;
	for (size_t i = 0; i + 1 < argv->count; i++) {
		const char *options = argv->items[i + 1];
		if (strcmp(argv->items[i], "-netdev") != 0 || !is_tap(options)) continue;
		if (*count == NIC_LIMIT) return "there are too many emulated nics";
		struct emulated_nic *nic = &nics[*count];
		char id[ID_SIZE];
		if (!option_value(options, "ifname", nic->tap, sizeof nic->tap)) return "a tap has no usable ifname";
		if (!option_value(options, "id", id, sizeof id) || !find_mac(argv, id, nic->mac)) return "a tap has no card with a mac";
		(*count)++;
	}
	return NULL;
}
