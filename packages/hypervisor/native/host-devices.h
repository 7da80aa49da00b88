#pragma once
#include <napi.h>

namespace bulkhead {

// openPty() and peerCredentials(fd).
void exportHostDevices(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
