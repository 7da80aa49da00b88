#pragma once
#include <napi.h>

#include <string>
#include <vector>

namespace bulkhead {

// A refused call: thrown on any thread, made into a JavaScript Error on the loop's thread.
struct Failure {
	// The library call or system call that failed: "xc_domain_create".
	std::string operation;
	// 0 when the library gave none (libxenguest often does not).
	int errnoNumber = 0;
	// What Xen's libraries logged during the call.
	std::vector<std::string> log;
};

// An Error with the properties `operation`, `errno` (a name such as "EINVAL", or "") and `log` (strings).
Napi::Error toError(Napi::Env env, const Failure &failure);

}  // namespace bulkhead
