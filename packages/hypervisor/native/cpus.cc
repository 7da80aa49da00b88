#include "cpus.h"

#include <stdlib.h>
#include <string.h>

#include "domain-calls.h"

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

static constexpr uint32_t kMaxVcpus = 512;
static constexpr uint32_t kMaxCpus = 4096;
static constexpr uint32_t kMaxPools = 1024;
static constexpr uint32_t kMaxPoolId = 0x7fffffff;

namespace {

// A bitmap of the size that Xen's library expects: of processors, or of NUMA nodes.
class Map {
   public:
	Map(XcSession &session, int bits) : bits_(bits > 0 ? bits : 1) {
		// The library rounds up to bytes, some of its calls to words.
		bytes_.resize((static_cast<size_t>(bits_) + 63) / 64 * 8);
		if (bits <= 0) session.fail("xc_get_max_cpus", errno ? errno : EINVAL);
	}
	uint8_t *data() { return bytes_.data(); }
	// False when there is no such bit.
	bool add(uint64_t bit) {
		if (bit >= static_cast<uint64_t>(bits_)) return false;
		bytes_[bit / 8] = static_cast<uint8_t>(bytes_[bit / 8] | (1u << (bit % 8)));
		return true;
	}
	std::vector<uint32_t> members() const { return membersOf(bytes_.data(), bits_); }
	static std::vector<uint32_t> membersOf(const uint8_t *bytes, int bits) {
		std::vector<uint32_t> members;
		for (int bit = 0; bit < bits; bit++)
			if (bytes[bit / 8] & (1u << (bit % 8))) members.push_back(static_cast<uint32_t>(bit));
		return members;
	}

   private:
	int bits_;
	std::vector<uint8_t> bytes_;
};

struct Pool {
	uint32_t id, scheduler, domains;
	std::vector<uint32_t> cpus;
};

}  // namespace

static Napi::Array toArray(Napi::Env env, const std::vector<uint32_t> &numbers) {
	Napi::Array array = Napi::Array::New(env, numbers.size());
	for (size_t i = 0; i < numbers.size(); i++)
		array.Set(static_cast<uint32_t>(i), Napi::Number::New(env, numbers[i]));
	return array;
}

static int maxCpus(XcSession &session) {
	errno = 0;
	return xc_get_max_cpus(session.xc());
}

static void fill(XcSession &session, Map &map, const std::vector<uint64_t> &bits, const char *what) {
	for (uint64_t bit : bits)
		if (!map.add(bit)) session.fail(what, EINVAL);
}

// getVcpu(domid, vcpu)
static Value getVcpu(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	uint32_t vcpu = readUint32(info[1], "vcpu", 0, kMaxVcpus - 1);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		xc_vcpuinfo_t found;
		memset(&found, 0, sizeof found);
		session.call("xc_vcpu_getinfo", [&](xc_interface *xc) { return xc_vcpu_getinfo(xc, domid, vcpu, &found); });
		return [found](Napi::Env env) -> Value {
			Napi::Object result = Napi::Object::New(env);
			result.Set("online", found.online != 0);
			result.Set("blocked", found.blocked != 0);
			result.Set("running", found.running != 0);
			result.Set("cpuTimeNs", Napi::Number::New(env, static_cast<double>(found.cpu_time)));
			result.Set("cpu", Napi::Number::New(env, found.cpu));
			return result;
		};
	});
}

// getAffinity(domid, vcpu) → { hard, soft }
static Value getAffinity(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	uint32_t vcpu = readUint32(info[1], "vcpu", 0, kMaxVcpus - 1);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		Map hard(session, maxCpus(session)), soft(session, maxCpus(session));
		session.call("xc_vcpu_getaffinity", [&](xc_interface *xc) {
			return xc_vcpu_getaffinity(xc, domid, static_cast<int>(vcpu), hard.data(), soft.data(),
			                           XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT);
		});
		return [hard = hard.members(), soft = soft.members()](Napi::Env env) -> Value {
			Napi::Object result = Napi::Object::New(env);
			result.Set("hard", toArray(env, hard));
			result.Set("soft", toArray(env, soft));
			return result;
		};
	});
}

// setAffinity(domid, vcpu, hard or undefined, soft or undefined)
static Value setAffinity(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	uint32_t vcpu = readUint32(info[1], "vcpu", 0, kMaxVcpus - 1);
	uint32_t flags = 0;
	std::vector<uint64_t> hardBits, softBits;
	if (!info[2].IsUndefined()) {
		hardBits = readIntegers(info[2], "hard", kMaxCpus - 1, kMaxCpus);
		flags |= XEN_VCPUAFFINITY_HARD;
	}
	if (!info[3].IsUndefined()) {
		softBits = readIntegers(info[3], "soft", kMaxCpus - 1, kMaxCpus);
		flags |= XEN_VCPUAFFINITY_SOFT;
	}
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		Map hard(session, maxCpus(session)), soft(session, maxCpus(session));
		fill(session, hard, hardBits, "xc_vcpu_setaffinity");
		fill(session, soft, softBits, "xc_vcpu_setaffinity");
		if (flags != 0)
			session.call("xc_vcpu_setaffinity", [&](xc_interface *xc) {
				return xc_vcpu_setaffinity(xc, domid, static_cast<int>(vcpu), hard.data(), soft.data(), flags);
			});
		return nullptr;
	});
}

static int maxNodes(XcSession &session) {
	errno = 0;
	return xc_get_max_nodes(session.xc());
}

static Value getNodeAffinity(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		Map nodes(session, maxNodes(session));
		session.call("xc_domain_node_getaffinity",
		             [&](xc_interface *xc) { return xc_domain_node_getaffinity(xc, domid, nodes.data()); });
		return [found = nodes.members()](Napi::Env env) -> Value { return toArray(env, found); };
	});
}

static Value setNodeAffinity(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	std::vector<uint64_t> wanted = readIntegers(info[1], "nodes", 255, 256);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		Map nodes(session, maxNodes(session));
		fill(session, nodes, wanted, "xc_domain_node_setaffinity");
		session.call("xc_domain_node_setaffinity",
		             [&](xc_interface *xc) { return xc_domain_node_setaffinity(xc, domid, nodes.data()); });
		return nullptr;
	});
}

// topology() → [{ cpu, core, socket, node }] of those that are online
static Value topology(const CallbackInfo &info) {
	return runWithSession(info.Env(), [](XcSession &session) -> Settle {
		unsigned count = static_cast<unsigned>(session.call("xc_get_max_cpus", xc_get_max_cpus));
		std::vector<xc_cputopo_t> places(count);
		session.call("xc_cputopoinfo", [&](xc_interface *xc) { return xc_cputopoinfo(xc, &count, places.data()); });
		if (count < places.size()) places.resize(count);
		return [places = std::move(places)](Napi::Env env) -> Value {
			Napi::Array result = Napi::Array::New(env);
			for (size_t cpu = 0; cpu < places.size(); cpu++) {
				if (places[cpu].core == XEN_INVALID_CORE_ID) continue;
				Napi::Object place = Napi::Object::New(env);
				place.Set("cpu", Napi::Number::New(env, static_cast<double>(cpu)));
				place.Set("core", Napi::Number::New(env, places[cpu].core));
				place.Set("socket", Napi::Number::New(env, places[cpu].socket));
				place.Set("node", Napi::Number::New(env, places[cpu].node));
				result.Set(result.Length(), place);
			}
			return result;
		};
	});
}

// The pool of that number, or the first after it; false when there is none.
static bool fetchPool(XcSession &session, uint32_t id, Pool &pool) {
	int bits = maxCpus(session);
	errno = 0;
	xc_cpupoolinfo_t *found = xc_cpupool_getinfo(session.xc(), id);
	if (!found) {
		if (errno != 0 && errno != ENOENT) session.fail("xc_cpupool_getinfo", errno);
		return false;
	}
	pool = {found->cpupool_id, found->sched_id, found->n_dom, Map::membersOf(found->cpumap, bits)};
	xc_cpupool_infofree(session.xc(), found);
	return true;
}

static Value pools(const CallbackInfo &info) {
	return runWithSession(info.Env(), [](XcSession &session) -> Settle {
		std::vector<Pool> all;
		Pool pool;
		for (uint32_t id = 0; all.size() < kMaxPools && fetchPool(session, id, pool); id = pool.id + 1) all.push_back(pool);
		return [all = std::move(all)](Napi::Env env) -> Value {
			Napi::Array result = Napi::Array::New(env, all.size());
			for (size_t i = 0; i < all.size(); i++) {
				Napi::Object each = Napi::Object::New(env);
				each.Set("id", Napi::Number::New(env, all[i].id));
				each.Set("scheduler", Napi::Number::New(env, all[i].scheduler));
				each.Set("domains", Napi::Number::New(env, all[i].domains));
				each.Set("cpus", toArray(env, all[i].cpus));
				result.Set(static_cast<uint32_t>(i), each);
			}
			return result;
		};
	});
}

// createPool(scheduler) → id
static Value createPool(const CallbackInfo &info) {
	uint32_t scheduler = readUint32(info[0], "scheduler", 0, 255);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		uint32_t id = XC_CPUPOOL_POOLID_ANY;
		session.call("xc_cpupool_create", [&](xc_interface *xc) { return xc_cpupool_create(xc, &id, scheduler); });
		return [id](Napi::Env env) { return Napi::Number::New(env, id); };
	});
}

template <class Call>
static Value onPool(const CallbackInfo &info, const char *operation, Call call) {
	uint32_t pool = readUint32(info[0], "pool", 0, kMaxPoolId);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		session.call(operation, [&](xc_interface *xc) { return call(xc, pool); });
		return nullptr;
	});
}

static Value destroyPool(const CallbackInfo &info) { return onPool(info, "xc_cpupool_destroy", xc_cpupool_destroy); }

static Value addCpu(const CallbackInfo &info) {
	int cpu = static_cast<int>(readUint32(info[1], "cpu", 0, kMaxCpus - 1));
	return onPool(info, "xc_cpupool_addcpu",
	              [=](xc_interface *xc, uint32_t pool) { return xc_cpupool_addcpu(xc, pool, cpu); });
}

static Value removeCpu(const CallbackInfo &info) {
	int cpu = static_cast<int>(readUint32(info[1], "cpu", 0, kMaxCpus - 1));
	return onPool(info, "xc_cpupool_removecpu",
	              [=](xc_interface *xc, uint32_t pool) { return xc_cpupool_removecpu(xc, pool, cpu); });
}

static Value moveDomain(const CallbackInfo &info) {
	uint32_t pool = readUint32(info[1], "pool", 0, kMaxPoolId);
	return callOnDomain(info, "xc_cpupool_movedomain", [=](xc_interface *xc, uint32_t domid) {
		return xc_cpupool_movedomain(xc, pool, domid);
	});
}

// scheduling(domid) → { scheduler, first, second }: weight and cap, or period and budget
static Value scheduling(const CallbackInfo &info) {
	uint32_t domid = readDomid(info[0]);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		xc_domaininfo_t domain;
		int count = session.call("xc_domain_getinfolist",
		                         [&](xc_interface *xc) { return xc_domain_getinfolist(xc, domid, 1, &domain); });
		if (count != 1 || domain.domain != domid) session.fail("xc_domain_getinfolist", ESRCH);
		Pool pool;
		if (!fetchPool(session, domain.cpupool, pool) || pool.id != domain.cpupool)
			session.fail("xc_cpupool_getinfo", ENOENT);
		uint32_t scheduler = pool.scheduler, first = 0, second = 0;
		if (scheduler == XEN_SCHEDULER_CREDIT) {
			xen_domctl_sched_credit values = {};
			session.call("xc_sched_credit_domain_get",
			             [&](xc_interface *xc) { return xc_sched_credit_domain_get(xc, domid, &values); });
			first = values.weight, second = values.cap;
		} else if (scheduler == XEN_SCHEDULER_CREDIT2) {
			xen_domctl_sched_credit2 values = {};
			session.call("xc_sched_credit2_domain_get",
			             [&](xc_interface *xc) { return xc_sched_credit2_domain_get(xc, domid, &values); });
			first = values.weight, second = values.cap;
		} else if (scheduler == XEN_SCHEDULER_RTDS) {
			xen_domctl_sched_rtds values = {};
			session.call("xc_sched_rtds_domain_get",
			             [&](xc_interface *xc) { return xc_sched_rtds_domain_get(xc, domid, &values); });
			first = values.period, second = values.budget;
		} else {
			session.fail("scheduling", EOPNOTSUPP);
		}
		return [=](Napi::Env env) -> Value {
			Napi::Object result = Napi::Object::New(env);
			result.Set("scheduler", Napi::Number::New(env, scheduler));
			result.Set("first", Napi::Number::New(env, first));
			result.Set("second", Napi::Number::New(env, second));
			return result;
		};
	});
}

// setScheduling(domid, scheduler, first, second). Xen refuses the parameters of a scheduler that is not the domain's.
static Value setScheduling(const CallbackInfo &info) {
	uint32_t scheduler = readUint32(info[1], "scheduler", 0, 255);
	uint32_t limit = scheduler == XEN_SCHEDULER_RTDS ? UINT32_MAX : UINT16_MAX - 1;
	uint32_t first = readUint32(info[2], "weight or period", 1, limit);
	uint32_t second = readUint32(info[3], "cap or budget", 0, limit);
	return callOnDomain(info, "xc_sched_domain_set", [=](xc_interface *xc, uint32_t domid) {
		if (scheduler == XEN_SCHEDULER_CREDIT) {
			xen_domctl_sched_credit values = {static_cast<uint16_t>(first), static_cast<uint16_t>(second)};
			return xc_sched_credit_domain_set(xc, domid, &values);
		}
		if (scheduler == XEN_SCHEDULER_CREDIT2) {
			xen_domctl_sched_credit2 values = {static_cast<uint16_t>(first), static_cast<uint16_t>(second)};
			return xc_sched_credit2_domain_set(xc, domid, &values);
		}
		if (scheduler == XEN_SCHEDULER_RTDS) {
			xen_domctl_sched_rtds values = {first, second, 0};
			return xc_sched_rtds_domain_set(xc, domid, &values);
		}
		errno = EOPNOTSUPP;
		return -1;
	});
}

void exportCpus(Napi::Env env, Napi::Object exports) {
	auto add = [&](const char *name, Value (*function)(const CallbackInfo &)) {
		exports.Set(name, Napi::Function::New(env, function, name));
	};
	add("getVcpu", getVcpu);
	add("getAffinity", getAffinity);
	add("setAffinity", setAffinity);
	add("getNodeAffinity", getNodeAffinity);
	add("setNodeAffinity", setNodeAffinity);
	add("topology", topology);
	add("pools", pools);
	add("createPool", createPool);
	add("destroyPool", destroyPool);
	add("addCpu", addCpu);
	add("removeCpu", removeCpu);
	add("moveDomain", moveDomain);
	add("scheduling", scheduling);
	add("setScheduling", setScheduling);
}

}  // namespace bulkhead
