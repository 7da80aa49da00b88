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

static bool isSince(XcSession &session, int minor) {
	int version = session.call("xc_version", [](xc_interface *xc) { return xc_version(xc, XENVER_version, nullptr); });
	return version >= ((4 << 16) | minor);
}

// HVM: every emulated device but vPCI; from Xen 4.19 on without USE_PIRQ too unless asked for, as libxl has it.
static uint32_t hvmEmulationFlags(XcSession &session, bool hvmPirq) {
	uint32_t flags = XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI;
	return isSince(session, 19) && !hvmPirq ? flags & ~XEN_X86_EMU_USE_PIRQ : flags;
}

// -1, Xen's own limit, or a number.
static int32_t readLimit(const Napi::Object &request, const char *name) {
	Value value = request.Get(name);
	return value.IsUndefined() ? -1 : static_cast<int32_t>(readUint32(value, name, 0, INT32_MAX));
}

// create({ uuid: Uint8Array(16), type, maxVcpus, maxEvtchnPort, ssidref, grantVersion (0: the newest), flags, cpupool,
// altp2m, vmtraceBytes, separateIommu, maxGrantFrames?, maxMaptrackFrames?, hvmPirq, msrRelaxed }) → domid
static Value create(const CallbackInfo &info) {
	Napi::Object request = readObject(info[0], "request");
	xen_domctl_createdomain config;
	memset(&config, 0, sizeof config);
	Value uuid = request.Get("uuid");
	if (!uuid.IsTypedArray() || uuid.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array ||
	    uuid.As<Napi::TypedArray>().ByteLength() != sizeof config.handle)
		throw Napi::TypeError::New(info.Env(), "uuid must be a Uint8Array of 16 bytes");
	memcpy(config.handle, uuid.As<Napi::Uint8Array>().Data(), sizeof config.handle);
	std::string type = readText(request.Get("type"), "type", 3);
	auto flag = [&](const char *name, uint32_t bit) {
		if (readBoolean(request.Get(name), name)) config.flags |= bit;
	};
	if (type == "hvm" || type == "pvh") {
		config.flags |= XEN_DOMCTL_CDF_hvm;
		flag("hap", XEN_DOMCTL_CDF_hap);
		flag("oosOff", XEN_DOMCTL_CDF_oos_off);
	} else if (type != "pv") {
		throw Napi::TypeError::New(info.Env(), "type must be pv, hvm or pvh");
	}
	flag("nestedVirt", XEN_DOMCTL_CDF_nested_virt);
	flag("vpmu", XEN_DOMCTL_CDF_vpmu);
	flag("iommu", XEN_DOMCTL_CDF_iommu);
	if (readBoolean(request.Get("separateIommu"), "separateIommu")) config.iommu_opts = XEN_DOMCTL_IOMMU_no_sharept;
	if (readBoolean(request.Get("msrRelaxed"), "msrRelaxed")) config.arch.misc_flags = XEN_X86_MSR_RELAXED;
	bool hvmPirq = readBoolean(request.Get("hvmPirq"), "hvmPirq");
	config.max_vcpus = readUint32(request.Get("maxVcpus"), "maxVcpus", 1, kMaxVcpus);
	config.max_evtchn_port = readUint32(request.Get("maxEvtchnPort"), "maxEvtchnPort", 1, (1 << 17) - 1);
	config.ssidref = readUint32(request.Get("ssidref"), "ssidref");
	config.max_grant_frames = readLimit(request, "maxGrantFrames");
	config.max_maptrack_frames = readLimit(request, "maxMaptrackFrames");
	config.vmtrace_size = readUint32(request.Get("vmtraceBytes"), "vmtraceBytes");
	config.cpupool_id = readUint32(request.Get("cpupool"), "cpupool", 0, INT32_MAX);
	uint32_t grants = readUint32(request.Get("grantVersion"), "grantVersion", 0, 2);
	uint32_t altp2m = readUint32(request.Get("altp2m"), "altp2m", 0, 3);
#ifdef XEN_DOMCTL_ALTP2M_mode
	config.altp2m_opts = XEN_DOMCTL_ALTP2M_mode(altp2m);
#endif
	return runWithSession(info.Env(), [=](XcSession &session) mutable -> Settle {
		config.grant_opts = XEN_DOMCTL_GRANT_version(grants != 0 ? grants : grantVersion(session));
		if (type == "hvm") config.arch.emulation_flags = hvmEmulationFlags(session, hvmPirq);
		if (type == "pvh") config.arch.emulation_flags = XEN_X86_EMU_LAPIC;
		uint32_t domid = kAnyDomid;
		session.call("xc_domain_create", [&](xc_interface *xc) { return xc_domain_create(xc, &domid, &config); });
#ifndef XEN_DOMCTL_ALTP2M_mode
		// Before it became a part of the creation it was a parameter of the new domain.
		if (altp2m != 0) {
			errno = 0;
			if (xc_hvm_param_set(session.xc(), domid, HVM_PARAM_ALTP2M, altp2m) < 0) {
				int errnoNumber = errno;
				xc_domain_destroy(session.xc(), domid);
				session.fail("xc_hvm_param_set", errnoNumber);
			}
		}
#endif
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
	result.Set("cpupool", Napi::Number::New(env, domain.cpupool));
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
	add("setHvmParam", setHvmParam);
	add("allocUnboundEvtchn", allocUnboundEvtchn);
	add("setTarget", setTarget);
}

}  // namespace bulkhead
