#include "domain-settings.h"

#include <string.h>

#include <algorithm>
#include <array>

#include "domain-calls.h"

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

static constexpr uint64_t kMaxKiB = uint64_t{1} << 34;  // 16 TiB
static constexpr uint32_t kMaxVcpus = 512;
static constexpr uint64_t kMaxFrame = uint64_t{1} << 40;
static constexpr size_t kRegisterBits = 32;
static constexpr uint32_t kMaxLeaves = 256;
static constexpr uint32_t kMaxRegions = 128;  // e820.h: E820MAX

static Value setPodTarget(const CallbackInfo &info) {
	uint64_t pages = readInteger(info[1], "targetKiB", 0, kMaxKiB) / 4;
	return callOnDomain(info, "xc_domain_set_pod_target", [=](xc_interface *xc, uint32_t domid) {
		return xc_domain_set_pod_target(xc, domid, pages, nullptr, nullptr, nullptr);
	});
}

// setHandle(domid, handle): 16 bytes by which the domain is known beside its number.
static Value setHandle(const CallbackInfo &info) {
	std::array<uint8_t, sizeof(xen_domain_handle_t)> handle;
	if (!info[1].IsTypedArray() || info[1].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array ||
	    info[1].As<Napi::TypedArray>().ByteLength() != handle.size())
		throw Napi::TypeError::New(info.Env(), "handle must be a Uint8Array of 16 bytes");
	auto bytes = info[1].As<Napi::Uint8Array>();
	std::copy_n(bytes.Data(), handle.size(), handle.begin());
	return callOnDomain(info, "xc_domain_sethandle", [=](xc_interface *xc, uint32_t domid) {
		xen_domain_handle_t copy;
		std::copy(handle.begin(), handle.end(), copy);
		return xc_domain_sethandle(xc, domid, copy);
	});
}

static Value setTscMode(const CallbackInfo &info) {
	uint32_t mode = readUint32(info[1], "mode", 0, 2);
	return callOnDomain(info, "xc_domain_set_tsc_info", [=](xc_interface *xc, uint32_t domid) {
		return xc_domain_set_tsc_info(xc, domid, mode, 0, 0, 0);
	});
}

static Value setTimeOffset(const CallbackInfo &info) {
	if (!info[1].IsNumber()) throw Napi::TypeError::New(info.Env(), "seconds must be a number");
	double seconds = info[1].As<Napi::Number>().DoubleValue();
	if (!(seconds >= INT32_MIN && seconds <= INT32_MAX) || static_cast<double>(static_cast<int32_t>(seconds)) != seconds)
		throw Napi::TypeError::New(info.Env(), "seconds must be a whole number of 32 bits");
	int32_t offset = static_cast<int32_t>(seconds);
	return callOnDomain(info, "xc_domain_set_time_offset", [=](xc_interface *xc, uint32_t domid) {
		return xc_domain_set_time_offset(xc, domid, offset);
	});
}

static Value sendTrigger(const CallbackInfo &info) {
	uint32_t trigger = readUint32(info[1], "trigger", 0, XEN_DOMCTL_SENDTRIGGER_SLEEP);
	uint32_t vcpu = readUint32(info[2], "vcpu", 0, kMaxVcpus - 1);
	return callOnDomain(info, "xc_domain_send_trigger", [=](xc_interface *xc, uint32_t domid) {
		return xc_domain_send_trigger(xc, domid, trigger, vcpu);
	});
}

// permitIoPorts(domid, first, count, allow)
static Value permitIoPorts(const CallbackInfo &info) {
	uint32_t first = readUint32(info[1], "first", 0, 0xffff);
	uint32_t count = readUint32(info[2], "count", 1, 0x10000 - first);
	bool allow = readBoolean(info[3], "allow");
	return callOnDomain(info, "xc_domain_ioport_permission", [=](xc_interface *xc, uint32_t domid) {
		return xc_domain_ioport_permission(xc, domid, first, count, allow);
	});
}

// permitIrq(domid, irq) → the domain's own number of it
static Value permitIrq(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	uint32_t irq = readUint32(info[1], "irq", 0, 0xffff);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		int pirq = static_cast<int>(irq);
		session.call("xc_physdev_map_pirq", [&](xc_interface *xc) {
			return xc_physdev_map_pirq(xc, domid, static_cast<int>(irq), &pirq);
		});
		session.call("xc_domain_irq_permission", [&](xc_interface *xc) {
			return xc_domain_irq_permission(xc, domid, static_cast<uint32_t>(pirq), true);
		});
		return [pirq](Napi::Env env) { return Napi::Number::New(env, pirq); };
	});
}

// withdrawIrq(domid, pirq): the permission first, so that nothing can be bound to it any more.
static Value withdrawIrq(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	uint32_t pirq = readUint32(info[1], "pirq", 0, 0xffff);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		session.call("xc_domain_irq_permission", [&](xc_interface *xc) {
			return xc_domain_irq_permission(xc, domid, pirq, false);
		});
		session.call("xc_physdev_unmap_pirq", [&](xc_interface *xc) {
			return xc_physdev_unmap_pirq(xc, domid, static_cast<int>(pirq));
		});
		return nullptr;
	});
}

// permitMemory(domid, firstFrame, count, allow)
static Value permitMemory(const CallbackInfo &info) {
	uint64_t first = readInteger(info[1], "first", 0, kMaxFrame);
	uint64_t count = readInteger(info[2], "count", 1, kMaxFrame);
	bool allow = readBoolean(info[3], "allow");
	return callOnDomain(info, "xc_domain_iomem_permission", [=](xc_interface *xc, uint32_t domid) {
		return xc_domain_iomem_permission(xc, domid, first, count, allow);
	});
}

// mapMemory(domid, firstFrame, count, guestFrame)
static Value mapMemory(const CallbackInfo &info) {
	uint64_t first = readInteger(info[1], "first", 0, kMaxFrame);
	uint64_t count = readInteger(info[2], "count", 1, kMaxFrame);
	uint64_t guest = readInteger(info[3], "guestFrame", 0, kMaxFrame);
	return callOnDomain(info, "xc_domain_memory_mapping", [=](xc_interface *xc, uint32_t domid) {
		return xc_domain_memory_mapping(xc, domid, guest, first, count, DPCI_ADD_MAPPING);
	});
}

namespace {

struct Leaf {
	uint32_t leaf, subleaf;
	// eax, ebx, ecx, edx; empty: nothing about that register.
	std::string registers[4];
};

}  // namespace

static std::vector<Leaf> readLeaves(Value value) {
	if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "leaves must be an array");
	Napi::Array array = value.As<Napi::Array>();
	if (array.Length() > kMaxLeaves) throw Napi::TypeError::New(value.Env(), "leaves has too many elements");
	std::vector<Leaf> leaves;
	for (uint32_t i = 0; i < array.Length(); i++) {
		Napi::Object given = readObject(array.Get(i), "leaf");
		Leaf leaf;
		leaf.leaf = readUint32(given.Get("leaf"), "leaf", 0, XEN_CPUID_INPUT_UNUSED - 1);
		leaf.subleaf = readUint32(given.Get("subleaf"), "subleaf");
		static const char *const kNames[] = {"eax", "ebx", "ecx", "edx"};
		for (int r = 0; r < 4; r++) {
			leaf.registers[r] = readText(given.Get(kNames[r]), kNames[r], kRegisterBits);
			const std::string &bits = leaf.registers[r];
			if (!bits.empty() && (bits.size() != kRegisterBits || bits.find_first_not_of("01xks") != std::string::npos))
				throw Napi::TypeError::New(value.Env(), std::string(kNames[r]) + " must be 32 letters of 0, 1, x, k, s");
		}
		leaves.push_back(std::move(leaf));
	}
	return leaves;
}

// applyCpuPolicy(domid, { pae, nestedVirt, invariantTsc, leaves: [{ leaf, subleaf, eax, ebx, ecx, edx }] })
static Value applyCpuPolicy(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	Napi::Object policy = readObject(info[1], "policy");
	bool pae = readBoolean(policy.Get("pae"), "pae");
	bool nested = readBoolean(policy.Get("nestedVirt"), "nestedVirt");
	bool itsc = readBoolean(policy.Get("invariantTsc"), "invariantTsc");
	std::vector<Leaf> leaves = readLeaves(policy.Get("leaves"));
	return runWithSession(info.Env(), [=](XcSession &session) mutable -> Settle {
		std::vector<xc_xend_cpuid> list(leaves.size() + 1);
		memset(list.data(), 0, list.size() * sizeof list[0]);
		for (size_t i = 0; i < leaves.size(); i++) {
			list[i].leaf = leaves[i].leaf;
			list[i].subleaf = leaves[i].subleaf;
			for (int r = 0; r < 4; r++)
				if (!leaves[i].registers[r].empty()) list[i].policy[r] = leaves[i].registers[r].data();
		}
		list.back().leaf = XEN_CPUID_INPUT_UNUSED;
		errno = 0;
		int result = xc_cpuid_apply_policy(session.xc(), domid, false, nullptr, 0, pae, itsc, nested,
		                                   leaves.empty() ? nullptr : list.data(), nullptr);
		// Unlike its neighbours it returns a negated errno; -1 means that errno has it.
		if (result != 0) session.fail("xc_cpuid_apply_policy", result == -1 ? errno : -result);
		return nullptr;
	});
}

// assignPci(domid, device, relaxed). A device's number is segment << 16 | bus << 8 | devfn, as Xen has it.
static Value assignPci(const CallbackInfo &info) {
	uint32_t device = readUint32(info[1], "device");
	uint32_t flags = readBoolean(info[2], "relaxed") ? XEN_DOMCTL_DEV_RDM_RELAXED : 0;
	return callOnDomain(info, "xc_assign_device", [=](xc_interface *xc, uint32_t domid) {
		return xc_assign_device(xc, domid, device, flags);
	});
}

static Value deassignPci(const CallbackInfo &info) {
	uint32_t device = readUint32(info[1], "device");
	return callOnDomain(info, "xc_deassign_device", [=](xc_interface *xc, uint32_t domid) {
		return xc_deassign_device(xc, domid, device);
	});
}

static Value testAssignPci(const CallbackInfo &info) {
	uint32_t device = readUint32(info[1], "device");
	return callOnDomain(info, "xc_test_assign_device", [=](xc_interface *xc, uint32_t domid) {
		return xc_test_assign_device(xc, domid, device);
	});
}

// quarantinePci(device, quarantined): to and from Xen's domain for I/O, which maps nothing.
static Value quarantinePci(const CallbackInfo &info) {
	uint32_t device = readUint32(info[0], "device");
	bool quarantined = readBoolean(info[1], "quarantined");
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		session.call(quarantined ? "xc_assign_device" : "xc_deassign_device", [&](xc_interface *xc) {
			return quarantined ? xc_assign_device(xc, DOMID_IO, device, XEN_DOMCTL_DEV_RDM_RELAXED)
			                   : xc_deassign_device(xc, DOMID_IO, device);
		});
		return nullptr;
	});
}

static Value hostMemoryMap(const CallbackInfo &info) {
	return runWithSession(info.Env(), [](XcSession &session) -> Settle {
		std::vector<e820entry> regions(kMaxRegions);
		int count = session.call("xc_get_machine_memory_map", [&](xc_interface *xc) {
			return xc_get_machine_memory_map(xc, regions.data(), kMaxRegions);
		});
		regions.resize(static_cast<size_t>(count));
		return [regions = std::move(regions)](Napi::Env env) -> Value {
			Napi::Array result = Napi::Array::New(env, regions.size());
			for (uint32_t at = 0; at < regions.size(); at++) {
				Napi::Object region = Napi::Object::New(env);
				region.Set("start", Napi::Number::New(env, static_cast<double>(regions[at].addr)));
				region.Set("size", Napi::Number::New(env, static_cast<double>(regions[at].size)));
				region.Set("type", Napi::Number::New(env, regions[at].type));
				result.Set(at, region);
			}
			return result;
		};
	});
}

// setMemoryMap(domid, starts, sizes, types): arrays of the same length.
static Value setMemoryMap(const CallbackInfo &info) {
	std::vector<uint64_t> starts = readIntegers(info[1], "starts", kMaxSafeInteger, kMaxRegions);
	std::vector<uint64_t> sizes = readIntegers(info[2], "sizes", kMaxSafeInteger, kMaxRegions);
	std::vector<uint64_t> types = readIntegers(info[3], "types", E820_UNUSABLE, kMaxRegions);
	if (sizes.size() != starts.size() || types.size() != starts.size())
		throw Napi::TypeError::New(info.Env(), "starts, sizes and types must have the same length");
	std::vector<e820entry> regions(starts.size());
	for (size_t at = 0; at < regions.size(); at++) {
		regions[at].addr = starts[at];
		regions[at].size = sizes[at];
		regions[at].type = static_cast<uint32_t>(types[at]);
	}
	return callOnDomain(info, "xc_domain_set_memory_map", [=](xc_interface *xc, uint32_t domid) {
		std::vector<e820entry> map = regions;
		return xc_domain_set_memory_map(xc, domid, map.data(), static_cast<uint32_t>(map.size()));
	});
}

static Value securityId(const CallbackInfo &info) {
	std::string label = readText(info[0], "label", 1023);
	return runWithSession(info.Env(), [=](XcSession &session) mutable -> Settle {
		uint32_t sid = 0;
		session.call("xc_flask_context_to_sid", [&](xc_interface *xc) {
			return xc_flask_context_to_sid(xc, label.data(), static_cast<uint32_t>(label.size()), &sid);
		});
		return [sid](Napi::Env env) { return Napi::Number::New(env, sid); };
	});
}

static Value sendDebugKeys(const CallbackInfo &info) {
	std::string keys = readText(info[0], "keys", 256);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		session.call("xc_send_debug_keys", [&](xc_interface *xc) { return xc_send_debug_keys(xc, keys.c_str()); });
		return nullptr;
	});
}

void exportDomainSettings(Napi::Env env, Napi::Object exports) {
	auto add = [&](const char *name, Value (*function)(const CallbackInfo &)) {
		exports.Set(name, Napi::Function::New(env, function, name));
	};
	add("setHandle", setHandle);
	add("setPodTarget", setPodTarget);
	add("setTscMode", setTscMode);
	add("setTimeOffset", setTimeOffset);
	add("sendTrigger", sendTrigger);
	add("permitIoPorts", permitIoPorts);
	add("permitIrq", permitIrq);
	add("withdrawIrq", withdrawIrq);
	add("permitMemory", permitMemory);
	add("mapMemory", mapMemory);
	add("assignPci", assignPci);
	add("deassignPci", deassignPci);
	add("testAssignPci", testAssignPci);
	add("quarantinePci", quarantinePci);
	add("hostMemoryMap", hostMemoryMap);
	add("setMemoryMap", setMemoryMap);
	add("applyCpuPolicy", applyCpuPolicy);
	add("securityId", securityId);
	add("sendDebugKeys", sendDebugKeys);
}

}  // namespace bulkhead
