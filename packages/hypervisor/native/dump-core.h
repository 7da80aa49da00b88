#pragma once
#include <napi.h>

namespace bulkhead {

void exportDumpCore(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
