#pragma once
#include <napi.h>

namespace bulkhead {

// pollFd(fd) and new FdPoll(fd, onReady).
void exportFdPoll(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
