#pragma once
#include "arguments.h"
#include "xc-session.h"

namespace bulkhead {

// A call on one domain, given by the first argument: call(xc, domid).
template <class Call>
Napi::Value callOnDomain(const Napi::CallbackInfo &info, const char *operation, Call call) {
	uint32_t domid = readDomid(info[0]);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		session.call(operation, [&](xc_interface *xc) { return call(xc, domid); });
		return nullptr;
	});
}

}  // namespace bulkhead
