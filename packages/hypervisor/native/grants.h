#pragma once
#include <napi.h>

namespace bulkhead {

// new Grants(): /dev/xen/gntdev.
void exportGrants(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
