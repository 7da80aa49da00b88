#pragma once
#include <napi.h>

namespace bulkhead {

void exportDomainSettings(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
