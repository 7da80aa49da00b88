#include "loop-device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "arguments.h"
#include "failure.h"
#include "owned-fd.h"
#include "promise-job.h"

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

static constexpr int kMaxAttempts = 64;

namespace {

struct Attached {
	OwnedFd fd;
	std::string path;
	unsigned major, minor;
};

}  // namespace

static OwnedFd openBacking(const std::string &path, bool readOnly) {
	// O_NONBLOCK: a FIFO in the file's place must not park a worker thread.
	OwnedFd backing(open(path.c_str(), (readOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK));
	if (!backing.valid()) throw Failure{"open of " + path, errno, {}};
	struct stat facts;
	if (fstat(backing.get(), &facts) != 0) throw Failure{"fstat of " + path, errno, {}};
	if (!S_ISREG(facts.st_mode)) throw Failure{"attach of " + path, EINVAL, {"not a regular file"}};
	return backing;
}

static loop_config configure(int backing, const std::string &path, bool readOnly) {
	loop_config config;
	memset(&config, 0, sizeof config);
	config.fd = static_cast<uint32_t>(backing);
	config.info.lo_flags = LO_FLAGS_AUTOCLEAR | (readOnly ? LO_FLAGS_READ_ONLY : 0);
	// For people who run losetup; truncated and terminated.
	strncpy(reinterpret_cast<char *>(config.info.lo_file_name), path.c_str(), LO_NAME_SIZE - 1);
	return config;
}

// Asks for a free device and takes it; another process may take it in between, or remove it: then asks again.
static Attached attach(const std::string &path, bool readOnly) {
	OwnedFd backing = openBacking(path, readOnly);
	loop_config config = configure(backing.get(), path, readOnly);
	OwnedFd control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
	if (!control.valid()) throw Failure{"open of /dev/loop-control", errno, {}};
	for (int attempt = 1;; attempt++) {
		int index = ioctl(control.get(), LOOP_CTL_GET_FREE);
		if (index < 0) throw Failure{"LOOP_CTL_GET_FREE", errno, {}};
		std::string device = "/dev/loop" + std::to_string(index);
		OwnedFd loop(open(device.c_str(), (readOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC));
		if (loop.valid() && ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0) {
			struct stat facts;
			if (fstat(loop.get(), &facts) != 0) throw Failure{"fstat of " + device, errno, {}};
			return {std::move(loop), device, major(facts.st_rdev), minor(facts.st_rdev)};
		}
		bool lostRace = errno == EBUSY || errno == ENXIO || errno == ENODEV;
		if (!lostRace || attempt == kMaxAttempts)
			throw Failure{(loop.valid() ? "LOOP_CONFIGURE of " : "open of ") + device, errno, {}};
	}
}

// attachLoop(path, readOnly) → Promise<{ fd, path, major, minor }>; the device detaches when its last opener closes it.
static Value attachLoop(const CallbackInfo &info) {
	std::string path = readPath(info[0], "path");
	bool readOnly = readBoolean(info[1], "readOnly");
	return PromiseJob::start(info.Env(), [=]() -> Settle {
		auto attached = std::make_shared<Attached>(attach(path, readOnly));
		return [attached](Napi::Env env) -> Value {
			Napi::Object result = Napi::Object::New(env);
			result.Set("path", attached->path);
			result.Set("major", Napi::Number::New(env, attached->major));
			result.Set("minor", Napi::Number::New(env, attached->minor));
			result.Set("fd", Napi::Number::New(env, attached->fd.get()));
			attached->fd.giveAway();
			return result;
		};
	});
}

void exportLoopDevice(Napi::Env env, Napi::Object exports) {
	exports.Set("attachLoop", Napi::Function::New(env, attachLoop, "attachLoop"));
}

}  // namespace bulkhead
