// xenctrl.node: domain control and building, by libxenctrl and libxenguest. Their sonames carry Xen's version, so a
// wrong Xen fails when this is loaded and not later.
#include "builder.h"
#include "cpus.h"
#include "domain-settings.h"
#include "domains.h"
#include "dump-core.h"
#include "host.h"
#include "xc-session.h"

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
	env.SetInstanceData(new bulkhead::XcAddon());
	bulkhead::exportDomains(env, exports);
	bulkhead::exportDumpCore(env, exports);
	bulkhead::exportDomainSettings(env, exports);
	bulkhead::exportCpus(env, exports);
	bulkhead::exportHost(env, exports);
	bulkhead::exportBuilder(env, exports);
	return exports;
}

NODE_API_MODULE(xenctrl, initialise)
