#include "listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "arguments.h"
#include "failure.h"
#include "owned-fd.h"

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

static constexpr int kBacklog = 16;
static constexpr size_t kTokenBytes = 64;
// What fits between a header and its padding: a sender may give more than one descriptor.
static constexpr size_t kMostDescriptors = 4;

static OwnedFd openSocket(int family, int type) {
	OwnedFd fd(socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (!fd.valid()) throw Failure{"socket", errno, {}};
	return fd;
}

static sockaddr_un unixAddress(const std::string &path) {
	sockaddr_un address;
	memset(&address, 0, sizeof address);
	address.sun_family = AF_UNIX;
	if (path.size() >= sizeof address.sun_path) throw Failure{"bind to " + path, ENAMETOOLONG, {}};
	memcpy(address.sun_path, path.data(), path.size());
	return address;
}

static OwnedFd bindUnix(const std::string &path, int type) {
	OwnedFd fd = openSocket(AF_UNIX, type);
	sockaddr_un address = unixAddress(path);
	if (bind(fd.get(), reinterpret_cast<sockaddr *>(&address), sizeof address) != 0)
		throw Failure{"bind to " + path, errno, {}};
	return fd;
}

static void startListening(int fd) {
	if (listen(fd, kBacklog) != 0) throw Failure{"listen", errno, {}};
}

// The answer belongs to JavaScript.
static Value giveAway(Napi::Env env, OwnedFd &fd) {
	Value number = Napi::Number::New(env, fd.get());
	fd.giveAway();
	return number;
}

// listenUnix(path, mode, uid, gid) → fd. Whoever connects before `listen` is refused: nobody gets in under other rights.
static Value listenUnix(const CallbackInfo &info) {
	std::string path = readPath(info[0], "path");
	uint32_t mode = readUint32(info[1], "mode", 0, 0777), uid = readUint32(info[2], "uid"), gid = readUint32(info[3], "gid");
	try {
		OwnedFd fd = bindUnix(path, SOCK_STREAM);
		try {
			if (lchown(path.c_str(), uid, gid) != 0) throw Failure{"lchown of " + path, errno, {}};
			if (chmod(path.c_str(), mode) != 0) throw Failure{"chmod of " + path, errno, {}};
			startListening(fd.get());
		} catch (Failure &) {
			unlink(path.c_str());
			throw;
		}
		return giveAway(info.Env(), fd);
	} catch (Failure &failure) {
		throw toError(info.Env(), failure);
	}
}

static void bindInet(int fd, const sockaddr *address, socklen_t length) {
	int on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) throw Failure{"SO_REUSEADDR", errno, {}};
	if (bind(fd, address, length) != 0) throw Failure{"bind", errno, {}};
	startListening(fd);
}

// listenTcp(address, port) → fd
static Value listenTcp(const CallbackInfo &info) {
	std::string text = readText(info[0], "address", INET6_ADDRSTRLEN);
	uint16_t port = htons(static_cast<uint16_t>(readUint32(info[1], "port", 1, 65535)));
	try {
		sockaddr_in four = {};
		if (inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
			OwnedFd fd = openSocket(four.sin_family = AF_INET, SOCK_STREAM);
			four.sin_port = port;
			bindInet(fd.get(), reinterpret_cast<sockaddr *>(&four), sizeof four);
			return giveAway(info.Env(), fd);
		}
		sockaddr_in6 six = {};
		if (inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) != 1) throw Failure{"inet_pton", EINVAL, {"no address"}};
		OwnedFd fd = openSocket(six.sin6_family = AF_INET6, SOCK_STREAM);
		six.sin6_port = port;
		bindInet(fd.get(), reinterpret_cast<sockaddr *>(&six), sizeof six);
		return giveAway(info.Env(), fd);
	} catch (Failure &failure) {
		throw toError(info.Env(), failure);
	}
}

// openInbox(path) → fd
static Value openInbox(const CallbackInfo &info) {
	std::string path = readPath(info[0], "path");
	mode_t umaskBefore = umask(0177);
	try {
		OwnedFd fd = bindUnix(path, SOCK_DGRAM);
		umask(umaskBefore);
		return giveAway(info.Env(), fd);
	} catch (Failure &failure) {
		umask(umaskBefore);
		throw toError(info.Env(), failure);
	}
}

union Control {
	cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int) * kMostDescriptors)];
};

// sendDescriptor(inbox, fd, token)
static Value sendDescriptor(const CallbackInfo &info) {
	std::string inbox = readPath(info[0], "inbox");
	int fd = readFd(info[1]);
	std::string token = readText(info[2], "token", kTokenBytes);
	try {
		OwnedFd sender = openSocket(AF_UNIX, SOCK_DGRAM);
		sockaddr_un address = unixAddress(inbox);
		Control control;
		memset(&control, 0, sizeof control);
		iovec payload = {token.data(), token.size()};
		msghdr message = {};
		message.msg_name = &address;
		message.msg_namelen = sizeof address;
		message.msg_iov = &payload;
		message.msg_iovlen = 1;
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof fd);
		cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(header), &fd, sizeof fd);
		if (sendmsg(sender.get(), &message, MSG_NOSIGNAL) < 0) throw Failure{"sendmsg to " + inbox, errno, {}};
		return info.Env().Undefined();
	} catch (Failure &failure) {
		throw toError(info.Env(), failure);
	}
}

static std::vector<OwnedFd> descriptorsOf(msghdr &message) {
	std::vector<OwnedFd> descriptors;
	for (cmsghdr *header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t index = 0; index < count; index++) {
			int fd;
			memcpy(&fd, CMSG_DATA(header) + index * sizeof fd, sizeof fd);
			descriptors.emplace_back(fd);
		}
	}
	return descriptors;
}

// receiveDescriptor(inboxFd) → { fd, token }, or undefined when nothing is there. A message that does not carry just one
// descriptor is dropped, and what it carries closed.
static Value receiveDescriptor(const CallbackInfo &info) {
	int inbox = readFd(info[0]);
	for (;;) {
		char token[kTokenBytes];
		Control control;
		iovec payload = {token, sizeof token};
		msghdr message = {};
		message.msg_iov = &payload;
		message.msg_iovlen = 1;
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		ssize_t length = recvmsg(inbox, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
		if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return info.Env().Undefined();
		if (length < 0) throw toError(info.Env(), Failure{"recvmsg", errno, {}});
		std::vector<OwnedFd> descriptors = descriptorsOf(message);
		if (descriptors.size() != 1 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) continue;
		Napi::Object result = Napi::Object::New(info.Env());
		result.Set("token", Napi::String::New(info.Env(), token, static_cast<size_t>(length)));
		result.Set("fd", Napi::Number::New(info.Env(), descriptors[0].get()));
		descriptors[0].giveAway();
		return result;
	}
}

void exportListeners(Napi::Env env, Napi::Object exports) {
	exports.Set("listenUnix", Napi::Function::New(env, listenUnix, "listenUnix"));
	exports.Set("listenTcp", Napi::Function::New(env, listenTcp, "listenTcp"));
	exports.Set("openInbox", Napi::Function::New(env, openInbox, "openInbox"));
	exports.Set("sendDescriptor", Napi::Function::New(env, sendDescriptor, "sendDescriptor"));
	exports.Set("receiveDescriptor", Napi::Function::New(env, receiveDescriptor, "receiveDescriptor"));
}

}  // namespace bulkhead
