/* A xenstore that answers from arrays: stands in for init/xenstore.c when its callers are tested on any machine. */
#include "fake-xenstore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct fake_node nodes[2048];
static size_t node_count;

void fake_node(const char *path, const char *value, size_t length) {
	nodes[node_count++] = (struct fake_node){strdup(path), memcpy(malloc(length + 1), value, length), length};
}

const struct fake_node *find_fake_node(const char *path) {
	for (size_t i = node_count; i > 0; i--)
		if (strcmp(nodes[i - 1].path, path) == 0) return &nodes[i - 1];
	return NULL;
}

static void forget_below(const char *path) {
	size_t kept = 0;
	for (size_t i = 0; i < node_count; i++)
		if (strncmp(nodes[i].path, path, strlen(path)) != 0) nodes[kept++] = nodes[i];
	node_count = kept;
}

int xenstore_run(struct xenstore_request *requests, size_t count, int timeout_ms) {
	(void)timeout_ms;
	for (size_t i = 0; i < count; i++) {
		struct xenstore_request *request = &requests[i];
		request->error = 0;
		if (request->operation == XENSTORE_WRITE) fake_node(request->path, request->value, request->value_length);
		if (request->operation == XENSTORE_RM) forget_below(request->path);
		const struct fake_node *found = find_fake_node(request->path);
		if (!found) request->error = ENOENT;
		request->length = found ? found->length : 0;
		request->reply = calloc(1, request->length + 1);
		if (found) memcpy(request->reply, found->value, found->length);
	}
	return 0;
}
