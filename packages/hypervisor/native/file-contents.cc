#include "file-contents.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "failure.h"
#include "owned-fd.h"

namespace bulkhead {

std::vector<uint8_t> readFile(const char *role, const std::string &path, size_t maxBytes) {
	auto refuse = [&](int errnoNumber, const std::string &reason = "") {
		std::string line = std::string(role) + " " + path + ": ";
		return Failure{"read", errnoNumber, {line + (reason.empty() ? strerrordesc_np(errnoNumber) : reason)}};
	};
	// O_NONBLOCK: a FIFO in the file's place must not park a worker thread.
	OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	if (!fd.valid()) throw refuse(errno);
	struct stat facts;
	if (fstat(fd.get(), &facts) != 0) throw refuse(errno);
	if (!S_ISREG(facts.st_mode)) throw refuse(EINVAL, "not a regular file");
	if (facts.st_size == 0) throw refuse(ENODATA, "the file is empty");
	if (static_cast<uint64_t>(facts.st_size) > maxBytes)
		throw refuse(EFBIG, "the file is larger than " + std::to_string(maxBytes) + " bytes");
	std::vector<uint8_t> contents(static_cast<size_t>(facts.st_size));
	for (size_t done = 0; done < contents.size();) {
		ssize_t count = read(fd.get(), contents.data() + done, contents.size() - done);
		if (count < 0 && errno == EINTR) continue;
		if (count < 0) throw refuse(errno);
		if (count == 0) throw refuse(EIO, "the file became shorter while it was read");
		done += static_cast<size_t>(count);
	}
	return contents;
}

}  // namespace bulkhead
