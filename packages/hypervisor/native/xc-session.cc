#include "xc-session.h"

namespace bulkhead {

static constexpr size_t kMaxIdleSessions = 4;

XcSession::XcSession() {
	errno = 0;
	// The second logger is for the domain builder, which otherwise writes a file.
	xc_ = xc_interface_open(log_.logger(), log_.logger(), 0);
	if (!xc_) throw Failure{"xc_interface_open", errno, log_.lines()};
}

XcSession::~XcSession() { xc_interface_close(xc_); }

void XcSession::fail(const char *operation, int errnoNumber) { throw Failure{operation, errnoNumber, log_.lines()}; }

std::unique_ptr<XcSession> XcPool::acquire() {
	{
		std::lock_guard<std::mutex> lock(mutex_);
		if (!idle_.empty()) {
			auto session = std::move(idle_.back());
			idle_.pop_back();
			return session;
		}
	}
	return std::make_unique<XcSession>();
}

void XcPool::release(std::unique_ptr<XcSession> session) {
	session->clearLog();
	std::lock_guard<std::mutex> lock(mutex_);
	if (!closed_ && idle_.size() < kMaxIdleSessions) idle_.push_back(std::move(session));
}

void XcPool::close() {
	std::lock_guard<std::mutex> lock(mutex_);
	closed_ = true;
	idle_.clear();
}

namespace {

class Lease {
   public:
	explicit Lease(XcPool &pool) : pool_(pool), session_(pool.acquire()) {}
	~Lease() { pool_.release(std::move(session_)); }
	XcSession &session() { return *session_; }

   private:
	XcPool &pool_;
	std::unique_ptr<XcSession> session_;
};

}  // namespace

Napi::Promise runWithSession(Napi::Env env, std::function<Settle(XcSession &)> work) {
	// The job owns a share of the pool: it may end after the environment's teardown began.
	std::shared_ptr<XcPool> pool = env.GetInstanceData<XcAddon>()->pool;
	return PromiseJob::start(env, [pool, work = std::move(work)]() -> Settle {
		Lease lease(*pool);
		return work(lease.session());
	});
}

}  // namespace bulkhead
