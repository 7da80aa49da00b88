#include "network-links.h"

#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "arguments.h"
#include "failure.h"
#include "owned-fd.h"
#include "promise-job.h"

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

// Of an Ethernet interface: what the kernel accepts differs by driver.
static constexpr uint32_t kLeastMtu = 68;
static constexpr uint32_t kLargestMtu = 65535;

static std::string readLinkName(Value value, const char *name) {
	std::string text = readText(value, name, IFNAMSIZ - 1);
	if (text.empty()) throw Napi::TypeError::New(value.Env(), std::string(name) + " must not be empty");
	return text;
}

static ifreq requestFor(const std::string &name) {
	ifreq request;
	memset(&request, 0, sizeof request);
	memcpy(request.ifr_name, name.data(), name.size());
	return request;
}

static OwnedFd openControl() {
	OwnedFd control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (!control.valid()) throw Failure{"socket", errno, {}};
	return control;
}

static void call(int control, unsigned long operation, ifreq &request, const char *title) {
	if (ioctl(control, operation, &request) != 0) throw Failure{title, errno, {}};
}

static Value inBackground(const CallbackInfo &info, std::function<void(int)> work) {
	return PromiseJob::start(info.Env(), [work]() -> Settle {
		OwnedFd control = openControl();
		work(control.get());
		return {};
	});
}

// joinBridge(name, bridge)
static Value joinBridge(const CallbackInfo &info) {
	std::string name = readLinkName(info[0], "name"), bridge = readLinkName(info[1], "bridge");
	return inBackground(info, [=](int control) {
		ifreq port = requestFor(name);
		call(control, SIOCGIFINDEX, port, "SIOCGIFINDEX");
		ifreq request = requestFor(bridge);
		request.ifr_ifindex = port.ifr_ifindex;
		call(control, SIOCBRADDIF, request, "SIOCBRADDIF");
	});
}

// setLinkMtu(name, mtu)
static Value setLinkMtu(const CallbackInfo &info) {
	std::string name = readLinkName(info[0], "name");
	uint32_t mtu = readUint32(info[1], "mtu", kLeastMtu, kLargestMtu);
	return inBackground(info, [=](int control) {
		ifreq request = requestFor(name);
		request.ifr_mtu = static_cast<int>(mtu);
		call(control, SIOCSIFMTU, request, "SIOCSIFMTU");
	});
}

// bringLinkUp(name)
static Value bringLinkUp(const CallbackInfo &info) {
	std::string name = readLinkName(info[0], "name");
	return inBackground(info, [=](int control) {
		ifreq request = requestFor(name);
		call(control, SIOCGIFFLAGS, request, "SIOCGIFFLAGS");
		request.ifr_flags |= IFF_UP;
		call(control, SIOCSIFFLAGS, request, "SIOCSIFFLAGS");
	});
}

// renameLink(name, newName)
static Value renameLink(const CallbackInfo &info) {
	std::string name = readLinkName(info[0], "name"), newName = readLinkName(info[1], "newName");
	return inBackground(info, [=](int control) {
		ifreq request = requestFor(name);
		memcpy(request.ifr_newname, newName.data(), newName.size());
		call(control, SIOCSIFNAME, request, "SIOCSIFNAME");
	});
}

void exportNetworkLinks(Napi::Env env, Napi::Object exports) {
	exports.Set("joinBridge", Napi::Function::New(env, joinBridge, "joinBridge"));
	exports.Set("setLinkMtu", Napi::Function::New(env, setLinkMtu, "setLinkMtu"));
	exports.Set("bringLinkUp", Napi::Function::New(env, bringLinkUp, "bringLinkUp"));
	exports.Set("renameLink", Napi::Function::New(env, renameLink, "renameLink"));
}

}  // namespace bulkhead
