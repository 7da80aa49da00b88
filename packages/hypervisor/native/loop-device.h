#pragma once
#include <napi.h>

namespace bulkhead {

// attachLoop(path, readOnly).
void exportLoopDevice(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
