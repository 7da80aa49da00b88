#pragma once
#include <napi.h>

namespace bulkhead {

void exportCpus(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
