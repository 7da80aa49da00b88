#include "domains.h"

#include <string.h>
#include <time.h>

#include "arguments.h"
#include "xc-session.h"

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

static constexpr uint64_t kMaxKiB = uint64_t{1} << 34;  // 16 TiB
static constexpr uint32_t kMaxVcpus = 512;
// libxenctrl asks for "any" by a reserved domid; 0 would do up to 4.21 only.
static constexpr uint32_t kAnyDomid = 0xffff;
static constexpr unsigned kListChunk = 256;

static uint32_t grantVersion(XcSession &session) {
	xc_physinfo_t info;
	memset(&info, 0, sizeof info);
	session.call("xc_physinfo", [&](xc_interface *xc) { return xc_physinfo(xc, &info); });
	return info.capabilities & XEN_SYSCTL_PHYSCAP_gnttab_v2 ? 2 : 1;
}

// Every emulated device but vPCI; from Xen 4.19 on without USE_PIRQ too, as libxl's default is there.
static uint32_t hvmEmulationFlags(XcSession &session) {
	int version = session.call("xc_version", [](xc_interface *xc) { return xc_version(xc, XENVER_version, nullptr); });
	uint32_t flags = XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI;
	return version >= ((4 << 16) | 19) ? flags & ~XEN_X86_EMU_USE_PIRQ : flags;
}

// create({ uuid: Uint8Array(16), hvm, maxVcpus, maxEvtchnPort, ssidref }) → domid
static Value create(const CallbackInfo &info) {
	Napi::Object request = readObject(info[0], "request");
	xen_domctl_createdomain config;
	memset(&config, 0, sizeof config);
	Value uuid = request.Get("uuid");
	if (!uuid.IsTypedArray() || uuid.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array ||
	    uuid.As<Napi::TypedArray>().ByteLength() != sizeof config.handle)
		throw Napi::TypeError::New(info.Env(), "uuid must be a Uint8Array of 16 bytes");
	memcpy(config.handle, uuid.As<Napi::Uint8Array>().Data(), sizeof config.handle);
	bool hvm = readBoolean(request.Get("hvm"), "hvm");
	config.max_vcpus = readUint32(request.Get("maxVcpus"), "maxVcpus", 1, kMaxVcpus);
	config.max_evtchn_port = readUint32(request.Get("maxEvtchnPort"), "maxEvtchnPort", 1, (1 << 17) - 1);
	config.ssidref = readUint32(request.Get("ssidref"), "ssidref");
	config.max_grant_frames = -1;
	config.max_maptrack_frames = -1;
	return runWithSession(info.Env(), [=](XcSession &session) mutable -> Settle {
		config.grant_opts = XEN_DOMCTL_GRANT_version(grantVersion(session));
		if (hvm) {
			config.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
			config.arch.emulation_flags = hvmEmulationFlags(session);
		}
		uint32_t domid = kAnyDomid;
		session.call("xc_domain_create", [&](xc_interface *xc) { return xc_domain_create(xc, &domid, &config); });
		return [domid](Napi::Env env) { return Napi::Number::New(env, domid); };
	});
}

// destroy(domid). Xen frees a domain's memory inside this call: it can take seconds for a big one.
static Value destroy(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		constexpr int kMaxAttempts = 3000;
		for (int attempt = 1;; attempt++) {
			errno = 0;
			if (xc_domain_destroy(session.xc(), domid) == 0) return nullptr;
			if ((errno != EAGAIN && errno != EINTR) || attempt == kMaxAttempts) session.fail("xc_domain_destroy", errno);
			timespec pause = {0, 10'000'000};
			nanosleep(&pause, nullptr);
		}
	});
}

// A call on one domain without further arguments.
template <int (*Function)(xc_interface *, uint32_t)>
static Value onDomain(const CallbackInfo &info, const char *operation) {
	uint32_t domid = readDomid(info[0]);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		session.call(operation, [&](xc_interface *xc) { return Function(xc, domid); });
		return nullptr;
	});
}

// A call on one domain with one number.
template <class Call>
static Value onDomainWith(const CallbackInfo &info, const char *operation, uint64_t argument, Call call) {
	uint32_t domid = readDomid(info[0]);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		session.call(operation, [&](xc_interface *xc) { return call(xc, domid, argument); });
		return nullptr;
	});
}

static Value pause(const CallbackInfo &info) { return onDomain<xc_domain_pause>(info, "xc_domain_pause"); }
static Value unpause(const CallbackInfo &info) { return onDomain<xc_domain_unpause>(info, "xc_domain_unpause"); }

static Value shutdown(const CallbackInfo &info) {
	return onDomainWith(info, "xc_domain_shutdown", readUint32(info[1], "reason", 0, 0xff),
	                    [](xc_interface *xc, uint32_t domid, uint64_t reason) {
		                    return xc_domain_shutdown(xc, domid, static_cast<int>(reason));
	                    });
}

static Value setMaxVcpus(const CallbackInfo &info) {
	return onDomainWith(info, "xc_domain_max_vcpus", readUint32(info[1], "count", 1, kMaxVcpus),
	                    [](xc_interface *xc, uint32_t domid, uint64_t count) {
		                    return xc_domain_max_vcpus(xc, domid, static_cast<unsigned>(count));
	                    });
}

static Value setMaxMemory(const CallbackInfo &info) {
	return onDomainWith(info, "xc_domain_setmaxmem", readInteger(info[1], "maxKiB", 0, kMaxKiB), xc_domain_setmaxmem);
}

static Value setMemoryMapLimit(const CallbackInfo &info) {
	return onDomainWith(info, "xc_domain_set_memmap_limit", readInteger(info[1], "maxKiB", 0, kMaxKiB),
	                    xc_domain_set_memmap_limit);
}

static Value setPagingMempool(const CallbackInfo &info) {
	return onDomainWith(info, "xc_set_paging_mempool_size", readInteger(info[1], "bytes", 0, kMaxSafeInteger),
	                    xc_set_paging_mempool_size);
}

static Value setTarget(const CallbackInfo &info) {
	return onDomainWith(info, "xc_domain_set_target", readDomid(info[1], "guest"), xc_domain_set_target);
}

static Value setDefaultTsc(const CallbackInfo &info) {
	return onDomainWith(info, "xc_domain_set_tsc_info", 0, [](xc_interface *xc, uint32_t domid, uint64_t mode) {
		return xc_domain_set_tsc_info(xc, domid, static_cast<uint32_t>(mode), 0, 0, 0);
	});
}

static Value applyDefaultCpuPolicy(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		errno = 0;
		int result = xc_cpuid_apply_policy(session.xc(), domid, false, nullptr, 0, /* pae */ true, /* itsc */ false,
		                                   /* nested_virt */ false, nullptr, nullptr);
		// Unlike its neighbours it returns a negated errno; -1 means that errno has it.
		if (result != 0) session.fail("xc_cpuid_apply_policy", result == -1 ? errno : -result);
		return nullptr;
	});
}

static Value setHvmParam(const CallbackInfo &info) {
	uint32_t param = readUint32(info[1], "param", 0, HVM_NR_PARAMS - 1);
	return onDomainWith(info, "xc_hvm_param_set", readInteger(info[2], "value", 0, kMaxSafeInteger),
	                    [param](xc_interface *xc, uint32_t domid, uint64_t value) {
		                    return xc_hvm_param_set(xc, domid, param, value);
	                    });
}

static Value allocUnboundEvtchn(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	uint32_t remote = readDomid(info[1], "remote");
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		int port = session.call("xc_evtchn_alloc_unbound",
		                        [&](xc_interface *xc) { return xc_evtchn_alloc_unbound(xc, domid, remote); });
		return [port](Napi::Env env) { return Napi::Number::New(env, port); };
	});
}

static Napi::Object describe(Napi::Env env, const xc_domaininfo_t &domain) {
	Napi::Object result = Napi::Object::New(env);
	auto flag = [&](const char *name, uint32_t bit) { result.Set(name, (domain.flags & bit) != 0); };
	result.Set("domid", Napi::Number::New(env, domain.domain));
	result.Set("uuid", Napi::Buffer<uint8_t>::Copy(env, domain.handle, sizeof domain.handle));
	flag("hvm", XEN_DOMINF_hvm_guest);
	flag("dying", XEN_DOMINF_dying);
	flag("shutdown", XEN_DOMINF_shutdown);
	flag("paused", XEN_DOMINF_paused);
	flag("blocked", XEN_DOMINF_blocked);
	flag("running", XEN_DOMINF_running);
	result.Set("shutdownReason",
	           Napi::Number::New(env, (domain.flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask));
	result.Set("totalPages", Napi::Number::New(env, static_cast<double>(domain.tot_pages)));
	result.Set("maxPages", Napi::Number::New(env, static_cast<double>(domain.max_pages)));
	result.Set("cpuTimeNs", Napi::Number::New(env, static_cast<double>(domain.cpu_time)));
	result.Set("onlineVcpus", Napi::Number::New(env, domain.nr_online_vcpus));
	result.Set("maxVcpuId", Napi::Number::New(env, domain.max_vcpu_id));
	return result;
}

static std::vector<xc_domaininfo_t> fetchDomains(XcSession &session, uint32_t first, unsigned max) {
	std::vector<xc_domaininfo_t> domains(max);
	int count = session.call("xc_domain_getinfolist", [&](xc_interface *xc) {
		return xc_domain_getinfolist(xc, first, max, domains.data());
	});
	domains.resize(static_cast<size_t>(count));
	return domains;
}

static Value list(const CallbackInfo &info) {
	return runWithSession(info.Env(), [](XcSession &session) -> Settle {
		std::vector<xc_domaininfo_t> all;
		for (uint32_t first = 0; first <= kMaxDomid;) {
			auto chunk = fetchDomains(session, first, kListChunk);
			all.insert(all.end(), chunk.begin(), chunk.end());
			if (chunk.size() < kListChunk) break;
			first = chunk.back().domain + 1u;
		}
		return [all = std::move(all)](Napi::Env env) -> Value {
			Napi::Array result = Napi::Array::New(env, all.size());
			for (size_t i = 0; i < all.size(); i++) result.Set(static_cast<uint32_t>(i), describe(env, all[i]));
			return result;
		};
	});
}

// find(domid) → domain or undefined. The library answers the first domain from that number on.
static Value find(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		auto found = fetchDomains(session, domid, 1);
		if (found.empty() || found[0].domain != domid) return nullptr;
		return [domain = found[0]](Napi::Env env) -> Value { return describe(env, domain); };
	});
}

void exportDomains(Napi::Env env, Napi::Object exports) {
	auto add = [&](const char *name, Value (*function)(const CallbackInfo &)) {
		exports.Set(name, Napi::Function::New(env, function, name));
	};
	add("create", create);
	add("destroy", destroy);
	add("pause", pause);
	add("unpause", unpause);
	add("shutdown", shutdown);
	add("list", list);
	add("find", find);
	add("setMaxVcpus", setMaxVcpus);
	add("setMaxMemory", setMaxMemory);
	add("setMemoryMapLimit", setMemoryMapLimit);
	add("setPagingMempool", setPagingMempool);
	add("setDefaultTsc", setDefaultTsc);
	add("applyDefaultCpuPolicy", applyDefaultCpuPolicy);
	add("setHvmParam", setHvmParam);
	add("allocUnboundEvtchn", allocUnboundEvtchn);
	add("setTarget", setTarget);
}

}  // namespace bulkhead
