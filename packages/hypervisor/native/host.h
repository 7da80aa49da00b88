#pragma once
#include <napi.h>

namespace bulkhead {

void exportHost(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
