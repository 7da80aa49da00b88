#include "failure.h"

#include <string.h>

namespace bulkhead {

Napi::Error toError(Napi::Env env, const Failure &failure) {
	std::string message = failure.operation + " failed";
	std::string name;
	if (failure.errnoNumber != 0) {
		// glibc 2.32 and later; null for a number that is no errno.
		const char *known = strerrorname_np(failure.errnoNumber);
		name = known ? known : "E" + std::to_string(failure.errnoNumber);
		message += ": " + name;
	}
	Napi::Error error = Napi::Error::New(env, message);
	Napi::Array log = Napi::Array::New(env, failure.log.size());
	for (size_t i = 0; i < failure.log.size(); i++) log.Set(static_cast<uint32_t>(i), failure.log[i]);
	error.Set("operation", Napi::String::New(env, failure.operation));
	error.Set("errno", Napi::String::New(env, name));
	error.Set("log", log);
	return error;
}

}  // namespace bulkhead
