#include "fd-poll.h"

#include <errno.h>
#include <poll.h>
#include <uv.h>

#include <optional>

#include "arguments.h"
#include "failure.h"
#include "loop-poll.h"

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

namespace {

struct Readiness {
	bool readable, writable, hangup;
};

}  // namespace

// poll(2) without waiting. libuv folds POLLHUP into whatever is watched, so the real conditions are asked for here.
static Readiness pollNow(int fd) {
	pollfd entry = {fd, POLLIN | POLLOUT, 0};
	int count;
	do count = poll(&entry, 1, 0);
	while (count < 0 && errno == EINTR);
	if (count < 0) throw Failure{"poll", errno, {}};
	if (entry.revents & POLLNVAL) throw Failure{"poll", EBADF, {}};
	return {(entry.revents & POLLIN) != 0, (entry.revents & POLLOUT) != 0, (entry.revents & (POLLHUP | POLLERR)) != 0};
}

// pollFd(fd) → { readable, writable, hangup }
static Value pollFd(const CallbackInfo &info) {
	int fd = readFd(info[0]);
	try {
		Readiness now = pollNow(fd);
		Napi::Object result = Napi::Object::New(info.Env());
		result.Set("readable", now.readable);
		result.Set("writable", now.writable);
		result.Set("hangup", now.hangup);
		return result;
	} catch (Failure &failure) {
		throw toError(info.Env(), failure);
	}
}

// new FdPoll(fd, onReady(readable, writable, hangup)): paused until the first watch.
class FdPoll : public Napi::ObjectWrap<FdPoll> {
   public:
	explicit FdPoll(const CallbackInfo &info) : ObjectWrap(info), fd_(readFd(info[0])) {
		Napi::Function onReady = readFunction(info[1], "onReady");
		try {
			// A closed descriptor must be an error here and not an abort inside libuv.
			pollNow(fd_);
			poll_ = LoopPoll::open(
			    info.Env(), fd_, [this](int) { report(); }, [this] { shutDown(); });
		} catch (Failure &failure) {
			throw toError(info.Env(), failure);
		}
		onReady_.emplace(onReady, "bulkhead.fd");
		// The loop holds a pointer to this until shutDown.
		Ref();
	}
	~FdPoll() override { release(); }

	static Napi::Function define(Napi::Env env) {
		return DefineClass(env, "FdPoll",
		                   {InstanceMethod("watch", &FdPoll::watch), InstanceMethod("close", &FdPoll::close)});
	}

   private:
	void report() {
		Napi::Env env = Env();
		Napi::HandleScope scope(env);
		// The handler may close this: the local keeps the object alive until we have returned.
		[[maybe_unused]] Napi::Object self = Value();
		Readiness now = {false, false, true};
		try {
			now = pollNow(fd_);
		} catch (Failure &) {
			// The descriptor was closed under us: told as a hangup.
		}
		onReady_->call({Napi::Boolean::New(env, now.readable), Napi::Boolean::New(env, now.writable),
		                Napi::Boolean::New(env, now.hangup)});
	}

	void watch(const CallbackInfo &info) {
		int events = (readBoolean(info[0], "readable") ? UV_READABLE : 0) |
		             (readBoolean(info[1], "writable") ? UV_WRITABLE : 0);
		if (poll_) poll_->watch(events);
	}

	void close(const CallbackInfo &) { shutDown(); }

	void shutDown() {
		if (!poll_) return;
		release();
		Unref();
	}
	void release() {
		if (!poll_) return;
		poll_->close();
		poll_ = nullptr;
	}

	int fd_;
	LoopPoll *poll_ = nullptr;
	std::optional<LoopCallback> onReady_;
};

void exportFdPoll(Napi::Env env, Napi::Object exports) {
	exports.Set("pollFd", Napi::Function::New(env, pollFd, "pollFd"));
	exports.Set("FdPoll", FdPoll::define(env));
}

}  // namespace bulkhead
