// xenrings.node: rings and kernel services, by Xen's libraries with a stable ABI only.
#include "evtchn.h"
#include "fd-poll.h"
#include "foreign-memory.h"
#include "grant-offers.h"
#include "grants.h"
#include "host-devices.h"
#include "listeners.h"
#include "loop-device.h"
#include "network-links.h"

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
	bulkhead::exportEvtchn(env, exports);
	bulkhead::exportGrants(env, exports);
	bulkhead::exportGrantOffers(env, exports);
	bulkhead::exportForeignMemory(env, exports);
	bulkhead::exportFdPoll(env, exports);
	bulkhead::exportHostDevices(env, exports);
	bulkhead::exportListeners(env, exports);
	bulkhead::exportLoopDevice(env, exports);
	bulkhead::exportNetworkLinks(env, exports);
	return exports;
}

NODE_API_MODULE(xenrings, initialise)
