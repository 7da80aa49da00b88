#pragma once
#include <napi.h>

#include <memory>
#include <mutex>
#include <vector>

#include "captured-log.h"
#include "failure.h"
#include "promise-job.h"
#include "xen-control-headers.h"

namespace bulkhead {

// An open libxenctrl handle with its own log. One thread uses it at a time.
class XcSession {
   public:
	// Throws Failure.
	XcSession();
	~XcSession();
	XcSession(const XcSession &) = delete;
	XcSession &operator=(const XcSession &) = delete;

	xc_interface *xc() { return xc_; }
	void clearLog() { log_.clear(); }

	// Makes one library call; the usual convention: a negative result is a failure whose number is in errno.
	template <class Call>
	int call(const char *operation, Call call) {
		errno = 0;
		int result = call(xc_);
		if (result < 0) fail(operation, errno);
		return result;
	}
	// The convention of xc_dom_*: anything but 0 is a failure, and errno may stay 0.
	template <class Call>
	void step(const char *operation, Call call) {
		errno = 0;
		if (call(xc_) != 0) fail(operation, errno);
	}
	[[noreturn]] void fail(const char *operation, int errnoNumber);

   private:
	CapturedLog log_;
	xc_interface *xc_;
};

// A small free list of sessions: opening one costs several system calls and mappings.
class XcPool : public std::enable_shared_from_this<XcPool> {
   public:
	std::unique_ptr<XcSession> acquire();
	void release(std::unique_ptr<XcSession> session);
	// Closes what is idle; sessions in use close when they come back.
	void close();

   private:
	std::mutex mutex_;
	bool closed_ = false;
	std::vector<std::unique_ptr<XcSession>> idle_;
};

// The state of one environment (the main thread or a Worker).
struct XcAddon {
	std::shared_ptr<XcPool> pool = std::make_shared<XcPool>();
	~XcAddon() { pool->close(); }
};

// Runs `work` on a libuv worker with a session of its own.
Napi::Promise runWithSession(Napi::Env env, std::function<Settle(XcSession &)> work);

}  // namespace bulkhead
