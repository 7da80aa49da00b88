#pragma once
#include <napi.h>

namespace bulkhead {

// GrantOffers: pages of this process that other domains may map (/dev/xen/gntalloc).
void exportGrantOffers(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
