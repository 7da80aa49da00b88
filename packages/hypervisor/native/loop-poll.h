#pragma once
#include <napi.h>
#include <uv.h>

#include <functional>

namespace bulkhead {

// A uv_poll_t on Node's own loop. It frees itself after `close`, which must be called exactly once; when the
// environment ends first, `onTeardown` is called and must do that.
class LoopPoll {
   public:
	// Makes the descriptor non-blocking. Throws Failure.
	static LoopPoll *open(Napi::Env env, int fd, std::function<void(int status)> onReady,
	                      std::function<void()> onTeardown);
	// A mask of UV_READABLE and UV_WRITABLE; 0 pauses. What is watched already costs nothing.
	void watch(int events);
	// Whether this keeps the process alive while it watches.
	void keepAlive(bool wanted);
	void close();

   private:
	LoopPoll() = default;
	uv_poll_t handle_;
	int events_ = 0;
	napi_async_cleanup_hook_handle hook_ = nullptr;
	bool closing_ = false;
	std::function<void(int)> onReady_;
	std::function<void()> onTeardown_;
};

// Calls a JavaScript function from the loop. What it throws becomes an uncaughtException.
class LoopCallback {
   public:
	LoopCallback(Napi::Function function, const char *resource);
	void call(const std::vector<napi_value> &arguments);

   private:
	Napi::FunctionReference function_;
	Napi::AsyncContext context_;
};

}  // namespace bulkhead
