#include "dump-core.h"

#include <errno.h>
#include <unistd.h>

#include "arguments.h"
#include "xc-session.h"

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

// The library hands over the core piece by piece, in order.
static int writePiece(xc_interface *, void *argument, char *bytes, unsigned int length) {
	int fd = *static_cast<int *>(argument);
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0 && errno == EINTR) continue;
		if (written < 0) return -1;
		bytes += written;
		length -= static_cast<unsigned int>(written);
	}
	return 0;
}

// dumpCore(domid, fd): an ELF core of the domain's memory and processors, from the descriptor's position on. The caller
// keeps the descriptor open until the promise has settled, and the domain from running.
static Value dumpCore(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	int fd = readFd(info[1]);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		session.call("xc_domain_dumpcore_via_callback", [&](xc_interface *xc) {
			int descriptor = fd;
			return xc_domain_dumpcore_via_callback(xc, domid, &descriptor, writePiece);
		});
		return nullptr;
	});
}

void exportDumpCore(Napi::Env env, Napi::Object exports) {
	exports.Set("dumpCore", Napi::Function::New(env, dumpCore, "dumpCore"));
}

}  // namespace bulkhead
