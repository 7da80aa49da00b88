#pragma once
#include <napi.h>

namespace bulkhead {

void exportBuilder(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
