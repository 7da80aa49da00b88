#pragma once
#include <xentoollog.h>

#include <deque>
#include <mutex>
#include <string>
#include <vector>

namespace bulkhead {

// A logger for Xen's libraries that keeps what they say instead of printing it. Their errors are often only there:
// errno is 0 after many failures of libxenguest. It must outlive every handle opened with it.
class CapturedLog {
   public:
	CapturedLog();
	CapturedLog(const CapturedLog &) = delete;
	CapturedLog &operator=(const CapturedLog &) = delete;

	xentoollog_logger *logger() { return &sink_.vtable; }
	void clear();
	// Warnings and errors since the last clear; when there are none, the last few lines of detail.
	std::vector<std::string> lines() const;

   private:
	// The library passes back the address of the vtable, so this must be its first member.
	struct Sink {
		xentoollog_logger vtable;
		CapturedLog *owner;
	};
	static void onMessage(xentoollog_logger *logger, xentoollog_level level, int errnoNumber, const char *context,
	                      const char *format, va_list arguments) __attribute__((format(printf, 5, 0)));
	void keep(xentoollog_level level, std::string line);

	Sink sink_;
	// One handle's log may be written from the thread that works and read from the one that reports.
	mutable std::mutex mutex_;
	std::vector<std::string> problems_;
	std::deque<std::string> details_;
};

}  // namespace bulkhead
