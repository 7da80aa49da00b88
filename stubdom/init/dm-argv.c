#define _GNU_SOURCE
#include "dm-argv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore.h"

enum { KEY_DIGITS_LIMIT = 6, ANSWER_TIMEOUT_MS = 10000 };

static int by_number(const void *left, const void *right) {
	long a = strtol(*(char *const *)left, NULL, 10), b = strtol(*(char *const *)right, NULL, 10);
	return (a > b) - (a < b);
}

/* Cuts a DIRECTORY reply (names, each with its NUL) into decimal keys in numerical order. */
static const char *sort_keys(char *names, size_t length, char **keys, size_t *count) {
	*count = 0;
	for (char *name = names; name < names + length; name += strlen(name) + 1) {
		size_t digits = strspn(name, "0123456789");
		if (digits == 0 || digits > KEY_DIGITS_LIMIT || name[digits] != '\0') return "dm-argv holds a key that is no number";
		if (*count == DM_ARGV_LIMIT) return "dm-argv holds too many arguments";
		keys[(*count)++] = name;
	}
	qsort(keys, *count, sizeof *keys, by_number);
	return *count == 0 ? "dm-argv is empty" : NULL;
}

static const char *read_values(const char *directory, char **keys, size_t count, struct dm_argv *argv) {
	struct xenstore_request *requests = calloc(count, sizeof *requests);
	if (!requests) return "no memory for the arguments";
	const char *problem = NULL;
	for (size_t i = 0; i < count && !problem; i++) {
		char *path = NULL;
		if (asprintf(&path, "%s/%s", directory, keys[i]) < 0) problem = "no memory for the arguments";
		requests[i] = (struct xenstore_request){.operation = XENSTORE_READ, .path = path};
	}
	if (!problem && xenstore_run(requests, count, ANSWER_TIMEOUT_MS) < 0) problem = "xenstore did not give the arguments";
	argv->count = 0;
	for (size_t i = 0; i < count; i++) {
		free((char *)requests[i].path);
		if (!problem && requests[i].error != 0) problem = "an argument in dm-argv cannot be read";
		if (!problem && strlen(requests[i].reply) != requests[i].length) problem = "an argument in dm-argv holds a NUL";
		argv->items[argv->count++] = requests[i].reply;
	}
	free(requests);
	return problem;
}

const char *read_dm_argv(const char *vm_path, struct dm_argv *argv) {
	char directory[256];
	if (snprintf(directory, sizeof directory, "%s/image/dm-argv", vm_path) >= (int)sizeof directory)
		return "the path of the guest's vm node is too long";
	struct xenstore_request list = {.operation = XENSTORE_DIRECTORY, .path = directory};
	if (xenstore_run(&list, 1, ANSWER_TIMEOUT_MS) < 0) return "xenstore did not list dm-argv";
	if (list.error == ENOENT) return "dm-argv is missing";
	if (list.error == EACCES) return "dm-argv is not readable by the stub domain";
	if (list.error == E2BIG) return "dm-argv holds too many arguments";
	if (list.error != 0) return "dm-argv cannot be listed";
	char *keys[DM_ARGV_LIMIT];
	size_t count;
	const char *problem = sort_keys(list.reply, list.length, keys, &count);
	if (!problem) problem = read_values(directory, keys, count, argv);
	free(list.reply);
	return problem;
}

int replace_in_dm_argv(struct dm_argv *argv, const char *marker, const char *text) {
	int changed = 0;
	for (size_t i = 0; i < argv->count; i++) {
		char *found = strstr(argv->items[i], marker);
		if (!found) continue;
		char *whole = NULL;
		int head = (int)(found - argv->items[i]);
		if (asprintf(&whole, "%.*s%s%s", head, argv->items[i], text, found + strlen(marker)) < 0) return -1;
		free(argv->items[i]);
		argv->items[i] = whole;
		changed++;
	}
	return changed;
}

const char *after_prefix(const char *argument, const char *prefix) {
	size_t length = strlen(prefix);
	return strncmp(argument, prefix, length) == 0 ? argument + length : NULL;
}
