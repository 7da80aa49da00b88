#pragma once
#include <unistd.h>

#include <utility>

namespace bulkhead {

// Closes a descriptor on every path, unless it has been given away.
class OwnedFd {
   public:
	explicit OwnedFd(int fd = -1) : fd_(fd) {}
	OwnedFd(OwnedFd &&other) noexcept : fd_(other.giveAway()) {}
	OwnedFd &operator=(OwnedFd &&other) noexcept {
		if (this != &other) {
			close();
			fd_ = other.giveAway();
		}
		return *this;
	}
	~OwnedFd() { close(); }

	int get() const { return fd_; }
	bool valid() const { return fd_ >= 0; }
	int giveAway() { return std::exchange(fd_, -1); }

   private:
	void close() {
		if (fd_ >= 0) ::close(fd_);
	}
	int fd_;
};

}  // namespace bulkhead
