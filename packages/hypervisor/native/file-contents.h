#pragma once
#include <stdint.h>

#include <string>
#include <vector>

namespace bulkhead {

// Reads a whole regular file of 1 … maxBytes. Read and not mapped: a mapped file that somebody truncates during a
// build would kill this process with SIGBUS. Throws Failure that names the file's role and path.
std::vector<uint8_t> readFile(const char *role, const std::string &path, size_t maxBytes);

}  // namespace bulkhead
