#pragma once
#include <napi.h>

namespace bulkhead {

// listenUnix(path, mode, uid, gid), listenTcp(address, port), openInbox(path), sendDescriptor(inbox, fd, token),
// receiveDescriptor(inboxFd).
void exportListeners(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
