#include "loop-poll.h"

#include "failure.h"

namespace bulkhead {

LoopPoll *LoopPoll::open(Napi::Env env, int fd, std::function<void(int)> onReady, std::function<void()> onTeardown) {
	uv_loop_t *loop;
	if (napi_get_uv_event_loop(env, &loop) != napi_ok) throw Failure{"napi_get_uv_event_loop", ENOTSUP, {}};
	auto *poll = new LoopPoll();
	int status = uv_poll_init(loop, &poll->handle_, fd);
	if (status < 0) {
		delete poll;
		throw Failure{"uv_poll_init", -status, {}};
	}
	poll->handle_.data = poll;
	poll->onReady_ = std::move(onReady);
	poll->onTeardown_ = std::move(onTeardown);
	napi_add_async_cleanup_hook(
	    env,
	    [](napi_async_cleanup_hook_handle, void *data) {
		    auto *self = static_cast<LoopPoll *>(data);
		    // When already closing, uv's callback is on its way and removes the hook.
		    if (!self->closing_) self->onTeardown_();
	    },
	    poll, &poll->hook_);
	return poll;
}

void LoopPoll::watch(int events) {
	// libuv takes the descriptor out of its epoll and in again even for what it watches already: two system calls.
	if (closing_ || events == events_) return;
	events_ = events;
	if (events == 0) {
		uv_poll_stop(&handle_);
		return;
	}
	uv_poll_start(&handle_, events, [](uv_poll_t *handle, int status, int) {
		auto *self = static_cast<LoopPoll *>(handle->data);
		// On an error libuv has stopped by itself.
		if (status < 0) self->events_ = 0;
		self->onReady_(status);
	});
}

void LoopPoll::keepAlive(bool wanted) {
	auto *handle = reinterpret_cast<uv_handle_t *>(&handle_);
	if (wanted)
		uv_ref(handle);
	else
		uv_unref(handle);
}

void LoopPoll::close() {
	if (closing_) return;
	closing_ = true;
	uv_poll_stop(&handle_);
	uv_close(reinterpret_cast<uv_handle_t *>(&handle_), [](uv_handle_t *handle) {
		auto *self = static_cast<LoopPoll *>(handle->data);
		napi_remove_async_cleanup_hook(self->hook_);
		delete self;
	});
}

LoopCallback::LoopCallback(Napi::Function function, const char *resource)
    : function_(Napi::Persistent(function)), context_(function.Env(), resource) {}

void LoopCallback::call(const std::vector<napi_value> &arguments) {
	Napi::Env env = function_.Env();
	napi_value result;
	napi_status status = napi_make_callback(env, context_, env.Global(), function_.Value(), arguments.size(),
	                                        arguments.data(), &result);
	if (status != napi_pending_exception) return;
	napi_value exception;
	if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
}

}  // namespace bulkhead
