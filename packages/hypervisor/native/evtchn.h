#pragma once
#include <napi.h>

namespace bulkhead {

// new Evtchn(onEvent: (port: number) => void): /dev/xen/evtchn on Node's loop.
void exportEvtchn(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
