#pragma once
#include <napi.h>

#include <functional>
#include <optional>

#include "failure.h"

namespace bulkhead {

// Makes a job's result into a JavaScript value, on the loop's thread.
using Settle = std::function<Napi::Value(Napi::Env)>;

// Runs one call on a libuv worker and settles one promise. The work must touch nothing of JavaScript; it reports
// failure by throwing Failure. The job deletes itself after it has settled.
class PromiseJob : public Napi::AsyncWorker {
   public:
	static Napi::Promise start(Napi::Env env, std::function<Settle()> work) {
		auto *job = new PromiseJob(env, std::move(work));
		Napi::Promise promise = job->deferred_.Promise();
		job->Queue();
		return promise;
	}

   private:
	PromiseJob(Napi::Env env, std::function<Settle()> work)
	    : AsyncWorker(env, "bulkhead"), deferred_(Napi::Promise::Deferred::New(env)), work_(std::move(work)) {}

	void Execute() override {
		try {
			settle_ = work_();
		} catch (Failure &failure) {
			failure_ = std::move(failure);
		}
		// Other C++ exceptions (bad_alloc) become the error of OnError.
	}

	void OnOK() override {
		if (failure_) return deferred_.Reject(toError(Env(), *failure_).Value());
		deferred_.Resolve(settle_ ? settle_(Env()) : Env().Undefined());
	}

	void OnError(const Napi::Error &error) override { deferred_.Reject(error.Value()); }

	Napi::Promise::Deferred deferred_;
	std::function<Settle()> work_;
	Settle settle_;
	std::optional<Failure> failure_;
};

}  // namespace bulkhead
