#include "host.h"

#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "xc-session.h"

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

static constexpr unsigned kConsoleChunk = 16384;
// Xen's ring is 16 KiB by default and at most a few MiB by its conring_size option.
static constexpr size_t kMaxConsole = 16u << 20;

namespace {

struct Host {
	int version;
	std::string extraVersion, capabilities, commandLine, compiler;
	xc_physinfo_t physical;
};

}  // namespace

#ifdef XENVER_extraversion2
// Xen 4.18 and later: strings of any length, to be freed.
static std::string take(char *text) {
	std::string result = text ? text : "";
	free(text);
	return result;
}
static std::string extraVersion(xc_interface *xc) { return take(xc_xenver_extraversion(xc)); }
static std::string capabilities(xc_interface *xc) { return take(xc_xenver_capabilities(xc)); }
static std::string commandLine(xc_interface *xc) { return take(xc_xenver_commandline(xc)); }
#else
// Xen 4.17: fixed arrays (version.h).
template <class Text, int Op>
static std::string versionText(xc_interface *xc) {
	Text text;
	memset(&text, 0, sizeof text);
	if (xc_version(xc, Op, &text) < 0) return "";
	const char *start = reinterpret_cast<const char *>(&text);
	return std::string(start, strnlen(start, sizeof text));
}
static std::string extraVersion(xc_interface *xc) { return versionText<xen_extraversion_t, XENVER_extraversion>(xc); }
static std::string capabilities(xc_interface *xc) {
	return versionText<xen_capabilities_info_t, XENVER_capabilities>(xc);
}
static std::string commandLine(xc_interface *xc) { return versionText<xen_commandline_t, XENVER_commandline>(xc); }
#endif

static std::string compiler(xc_interface *xc) {
	xen_compile_info_t info;
	memset(&info, 0, sizeof info);
	if (xc_version(xc, XENVER_compile_info, &info) < 0) return "";
	return std::string(info.compiler, strnlen(info.compiler, sizeof info.compiler));
}

static Value hostInfo(const CallbackInfo &info) {
	return runWithSession(info.Env(), [](XcSession &session) -> Settle {
		Host host = {};
		host.version = session.call("xc_version", [](xc_interface *xc) { return xc_version(xc, XENVER_version, nullptr); });
		session.call("xc_physinfo", [&](xc_interface *xc) { return xc_physinfo(xc, &host.physical); });
		host.extraVersion = extraVersion(session.xc());
		host.capabilities = capabilities(session.xc());
		host.commandLine = commandLine(session.xc());
		host.compiler = compiler(session.xc());
		return [host = std::move(host)](Napi::Env env) -> Value {
			Napi::Object result = Napi::Object::New(env);
			result.Set("major", Napi::Number::New(env, host.version >> 16));
			result.Set("minor", Napi::Number::New(env, host.version & 0xffff));
			result.Set("extraVersion", host.extraVersion);
			result.Set("capabilities", host.capabilities);
			result.Set("commandLine", host.commandLine);
			result.Set("compiler", host.compiler);
			result.Set("totalPages", Napi::Number::New(env, static_cast<double>(host.physical.total_pages)));
			result.Set("freePages", Napi::Number::New(env, static_cast<double>(host.physical.free_pages)));
			result.Set("nrCpus", Napi::Number::New(env, host.physical.nr_cpus));
			result.Set("cpuKHz", Napi::Number::New(env, host.physical.cpu_khz));
			result.Set("hvm", (host.physical.capabilities & XEN_SYSCTL_PHYSCAP_hvm) != 0);
			result.Set("iommu", (host.physical.capabilities & XEN_SYSCTL_PHYSCAP_directio) != 0);
			result.Set("hap", (host.physical.capabilities & XEN_SYSCTL_PHYSCAP_hap) != 0);
			return result;
		};
	});
}

// The whole ring from its oldest byte on, nothing consumed: incremental reads that carry the index along.
static Value readConsoleRing(const CallbackInfo &info) {
	return runWithSession(info.Env(), [](XcSession &session) -> Settle {
		std::string text;
		uint32_t index = 0;
		std::vector<char> chunk(kConsoleChunk);
		while (text.size() < kMaxConsole) {
			unsigned length = kConsoleChunk;
			session.call("xc_readconsolering", [&](xc_interface *xc) {
				return xc_readconsolering(xc, chunk.data(), &length, /* clear */ 0, /* incremental */ 1, &index);
			});
			if (length == 0) break;
			text.append(chunk.data(), length < kConsoleChunk ? length : kConsoleChunk);
		}
		return [text = std::move(text)](Napi::Env env) -> Value {
			return Napi::Buffer<char>::Copy(env, text.data(), text.size());
		};
	});
}

void exportHost(Napi::Env env, Napi::Object exports) {
	exports.Set("hostInfo", Napi::Function::New(env, hostInfo, "hostInfo"));
	exports.Set("readConsoleRing", Napi::Function::New(env, readConsoleRing, "readConsoleRing"));
}

}  // namespace bulkhead
