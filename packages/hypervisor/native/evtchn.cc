#include "evtchn.h"

#include <errno.h>
#include <unistd.h>
#include <uv.h>

#include <memory>
#include <optional>

#include "arguments.h"
#include "captured-log.h"
#include "failure.h"
#include "loop-poll.h"

extern "C" {
#include <xenevtchn.h>
}

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

// Events handed on in one turn of the loop. The rest waits in the kernel's ring (one entry per port, as a port is
// masked while it is pending), so a storm cannot starve timers and sockets.
static constexpr int kMaxEventsPerTurn = 64;

class Evtchn : public Napi::ObjectWrap<Evtchn> {
   public:
	explicit Evtchn(const CallbackInfo &info) : ObjectWrap(info) {
		Napi::Function onEvent = readFunction(info[0], "onEvent");
		errno = 0;
		handle_ = xenevtchn_open(log_.logger(), 0);
		if (!handle_) throw toError(info.Env(), Failure{"xenevtchn_open", errno, log_.lines()});
		try {
			poll_ = LoopPoll::open(
			    info.Env(), xenevtchn_fd(handle_), [this](int) { drain(); }, [this] { shutDown(); });
		} catch (Failure &failure) {
			xenevtchn_close(handle_);
			handle_ = nullptr;
			throw toError(info.Env(), failure);
		}
		onEvent_.emplace(onEvent, "bulkhead.evtchn");
		poll_->watch(UV_READABLE);
		// Nothing is bound yet.
		poll_->keepAlive(false);
		// The loop holds a pointer to this until shutDown.
		Ref();
	}
	~Evtchn() override { release(); }

	static Napi::Function define(Napi::Env env) {
		return DefineClass(env, "Evtchn",
		                   {InstanceMethod("bindInterdomain", &Evtchn::bindInterdomain),
		                    InstanceMethod("bindUnbound", &Evtchn::bindUnbound),
		                    InstanceMethod("unbind", &Evtchn::unbind), InstanceMethod("notify", &Evtchn::notify),
		                    InstanceMethod("unmask", &Evtchn::unmask), InstanceMethod("keepAlive", &Evtchn::keepAlive), InstanceMethod("close", &Evtchn::close)});
	}

   private:
	void drain() {
		Napi::Env env = Env();
		Napi::HandleScope scope(env);
		// A handler may close this: the local keeps the object alive until we have returned.
		[[maybe_unused]] Napi::Object self = Value();
		// Takes the ports that are pending and leaves them masked, each until its handler asks for `unmask`. libxenevtchn takes
		// one at a time, and one read more to learn that none is left.
		evtchn_port_t ports[kMaxEventsPerTurn];
		ssize_t bytes;
		do bytes = read(xenevtchn_fd(handle_), ports, sizeof(ports));
		while (bytes < 0 && errno == EINTR);
		for (ssize_t at = 0; handle_ && at < bytes / ssize_t(sizeof(evtchn_port_t)); at++)
			onEvent_->call({Napi::Number::New(env, ports[at])});
	}

	// Makes one library call whose negative result is a failure.
	template <class Call>
	int check(const CallbackInfo &info, const char *operation, Call call) {
		if (!handle_) throw toError(info.Env(), Failure{operation, EBADF, {"the event channel device is closed"}});
		log_.clear();
		errno = 0;
		int result = call(handle_);
		if (result < 0) throw toError(info.Env(), Failure{operation, errno, log_.lines()});
		return result;
	}

	Napi::Value bindInterdomain(const CallbackInfo &info) {
		uint32_t domid = readDomid(info[0]);
		uint32_t remotePort = readPort(info[1], "remotePort");
		return Napi::Number::New(info.Env(), check(info, "xenevtchn_bind_interdomain", [=](auto *handle) {
			return xenevtchn_bind_interdomain(handle, domid, remotePort);
		}));
	}
	Napi::Value bindUnbound(const CallbackInfo &info) {
		uint32_t domid = readDomid(info[0]);
		return Napi::Number::New(info.Env(), check(info, "xenevtchn_bind_unbound_port", [=](auto *handle) {
			return xenevtchn_bind_unbound_port(handle, domid);
		}));
	}
	void unbind(const CallbackInfo &info) {
		uint32_t port = readPort(info[0], "port");
		check(info, "xenevtchn_unbind", [=](auto *handle) { return xenevtchn_unbind(handle, port); });
	}
	void notify(const CallbackInfo &info) {
		uint32_t port = readPort(info[0], "port");
		check(info, "xenevtchn_notify", [=](auto *handle) { return xenevtchn_notify(handle, port); });
	}
	void unmask(const CallbackInfo &info) {
		uint32_t port = readPort(info[0], "port");
		check(info, "xenevtchn_unmask", [=](auto *handle) { return xenevtchn_unmask(handle, port); });
	}
	void keepAlive(const CallbackInfo &info) {
		bool wanted = readBoolean(info[0], "wanted");
		if (poll_) poll_->keepAlive(wanted);
	}
	void close(const CallbackInfo &) { shutDown(); }

	// Idempotent.
	void shutDown() {
		if (!handle_) return;
		release();
		Unref();
	}
	// Closing the device closes every port bound by it.
	void release() {
		if (!handle_) return;
		poll_->close();
		poll_ = nullptr;
		xenevtchn_close(handle_);
		handle_ = nullptr;
	}

	CapturedLog log_;
	xenevtchn_handle *handle_ = nullptr;
	LoopPoll *poll_ = nullptr;
	std::optional<LoopCallback> onEvent_;
};

void exportEvtchn(Napi::Env env, Napi::Object exports) { exports.Set("Evtchn", Evtchn::define(env)); }

}  // namespace bulkhead
