#pragma once
#include <napi.h>

#include <string>
#include <vector>

// Checked readers of JavaScript arguments. Each throws a TypeError that names the argument: whatever a caller passes,
// no value reaches Xen's libraries that was not asked for, and nothing crashes.
namespace bulkhead {

constexpr uint64_t kMaxSafeInteger = (uint64_t{1} << 53) - 1;
// xen.h: DOMID_FIRST_RESERVED.
constexpr uint32_t kMaxDomid = 0x7fef;

// A whole number in [min, max].
uint64_t readInteger(Napi::Value value, const char *name, uint64_t min, uint64_t max);
uint32_t readUint32(Napi::Value value, const char *name, uint32_t min = 0, uint32_t max = UINT32_MAX);
uint32_t readDomid(Napi::Value value, const char *name = "domid");
uint32_t readPort(Napi::Value value, const char *name);
int readFd(Napi::Value value);
bool readBoolean(Napi::Value value, const char *name);
Napi::Function readFunction(Napi::Value value, const char *name);
// An object, so that its fields can be read by name.
Napi::Object readObject(Napi::Value value, const char *name);
// UTF-8 of at most maxBytes, without NUL.
std::string readText(Napi::Value value, const char *name, size_t maxBytes);
// A path that is not empty.
std::string readPath(Napi::Value value, const char *name);
// An array of 1 … maxCount whole numbers, each at most max.
std::vector<uint64_t> readIntegers(Napi::Value value, const char *name, uint64_t max, size_t maxCount);

}  // namespace bulkhead
