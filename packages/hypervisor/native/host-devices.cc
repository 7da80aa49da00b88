#include "host-devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>

#include "arguments.h"
#include "failure.h"
#include "owned-fd.h"

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

static void setRaw(int fd) {
	termios settings;
	if (tcgetattr(fd, &settings) != 0) throw Failure{"tcgetattr", errno, {}};
	cfmakeraw(&settings);
	if (tcsetattr(fd, TCSANOW, &settings) != 0) throw Failure{"tcsetattr", errno, {}};
}

// openPty() → { masterFd, path }. The line discipline lives as long as the master, so the slave need not be held.
static Value openPty(const CallbackInfo &info) {
	try {
		OwnedFd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
		if (!master.valid()) throw Failure{"posix_openpt", errno, {}};
		if (grantpt(master.get()) != 0) throw Failure{"grantpt", errno, {}};
		if (unlockpt(master.get()) != 0) throw Failure{"unlockpt", errno, {}};
		char path[64];
		int status = ptsname_r(master.get(), path, sizeof path);
		if (status != 0) throw Failure{"ptsname_r", status, {}};
		{
			// A master tells POLLHUP only after its slave has been open once.
			OwnedFd slave(open(path, O_RDWR | O_NOCTTY | O_CLOEXEC));
			if (!slave.valid()) throw Failure{"open of the pty's slave", errno, {}};
			setRaw(slave.get());
		}
		Napi::Object result = Napi::Object::New(info.Env());
		result.Set("path", Napi::String::New(info.Env(), path));
		result.Set("masterFd", Napi::Number::New(info.Env(), master.get()));
		master.giveAway();
		return result;
	} catch (Failure &failure) {
		throw toError(info.Env(), failure);
	}
}

// peerCredentials(fd) → { uid, gid, pid }, as they were when the peer connected.
static Value peerCredentials(const CallbackInfo &info) {
	int fd = readFd(info[0]);
	ucred peer;
	socklen_t length = sizeof peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
		throw toError(info.Env(), Failure{"getsockopt SO_PEERCRED", errno, {}});
	Napi::Object result = Napi::Object::New(info.Env());
	result.Set("uid", Napi::Number::New(info.Env(), peer.uid));
	result.Set("gid", Napi::Number::New(info.Env(), peer.gid));
	result.Set("pid", Napi::Number::New(info.Env(), peer.pid));
	return result;
}

void exportHostDevices(Napi::Env env, Napi::Object exports) {
	exports.Set("openPty", Napi::Function::New(env, openPty, "openPty"));
	exports.Set("peerCredentials", Napi::Function::New(env, peerCredentials, "peerCredentials"));
}

}  // namespace bulkhead
