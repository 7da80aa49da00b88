#pragma once
#include <napi.h>

namespace bulkhead {

// joinBridge(name, bridge), setLinkMtu(name, mtu), bringLinkUp(name), renameLink(name, newName): each a promise.
void exportNetworkLinks(Napi::Env env, Napi::Object exports);

}  // namespace bulkhead
