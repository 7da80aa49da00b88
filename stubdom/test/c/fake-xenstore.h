#pragma once
#include "xenstore.h"

struct fake_node {
	char *path, *value;
	size_t length;
};

/* Adds a node, or a newer value of it. For a DIRECTORY the value is the list of names, each with its NUL. */
void fake_node(const char *path, const char *value, size_t length);
const struct fake_node *find_fake_node(const char *path);
