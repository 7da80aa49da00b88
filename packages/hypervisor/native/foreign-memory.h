#pragma once
#include <napi.h>

namespace bulkhead {

// new ForeignMemory(): mapping by privilege through /dev/xen/privcmd.
void exportForeignMemory(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
