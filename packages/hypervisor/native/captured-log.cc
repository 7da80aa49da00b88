#include "captured-log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

namespace bulkhead {

static constexpr size_t kMaxProblems = 32;
static constexpr size_t kMaxDetails = 6;

CapturedLog::CapturedLog() {
	sink_.vtable.vmessage = onMessage;
	sink_.vtable.progress = nullptr;
	// The libraries call this for loggers that they made themselves only, but the member must be callable.
	sink_.vtable.destroy = [](xentoollog_logger *) {};
	sink_.owner = this;
}

void CapturedLog::onMessage(xentoollog_logger *logger, xentoollog_level level, int errnoNumber, const char *context,
                            const char *format, va_list arguments) {
	char text[512];
	if (vsnprintf(text, sizeof text, format, arguments) < 0) return;
	std::string line = context ? std::string(context) + ": " + text : std::string(text);
	// errno is 0 when a library reports a failure of its own: "Success" would mislead.
	if (errnoNumber > 0) line += std::string(": ") + strerrordesc_np(errnoNumber);
	while (!line.empty() && line.back() == '\n') line.pop_back();
	reinterpret_cast<Sink *>(logger)->owner->keep(level, std::move(line));
}

void CapturedLog::keep(xentoollog_level level, std::string line) {
	std::lock_guard<std::mutex> lock(mutex_);
	if (level >= XTL_WARN) {
		if (problems_.size() < kMaxProblems) problems_.push_back(std::move(line));
		return;
	}
	details_.push_back(std::move(line));
	if (details_.size() > kMaxDetails) details_.pop_front();
}

void CapturedLog::clear() {
	std::lock_guard<std::mutex> lock(mutex_);
	problems_.clear();
	details_.clear();
}

std::vector<std::string> CapturedLog::lines() const {
	std::lock_guard<std::mutex> lock(mutex_);
	if (!problems_.empty()) return problems_;
	return {details_.begin(), details_.end()};
}

}  // namespace bulkhead
