#pragma once
#include <napi.h>

namespace bulkhead {

void exportDomains(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
