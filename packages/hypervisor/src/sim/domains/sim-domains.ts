import { writeSync } from "node:fs";
import { type DomId, type EvtchnPort, type Uuid, uuidToBytes } from "@bulkhead/base";
import {
	type CpuPolicy,
	type CreateDomain,
	type DomainInfo,
	type Domains,
	type DomainType,
	type HardwareRange,
	type HostInfo,
	HVM_PARAMS,
	type HvmParam,
	type MemoryRegion,
	SHUTDOWN_REASONS,
	type ShutdownReason,
	TRIGGERS,
	type Trigger,
	type TscMode,
} from "../../ports/domains.ts";
import { checkDomid, checkInteger } from "../calls/check-arguments.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import type { ProcessParts } from "../sim-process.ts";
import type { SimDomain } from "./sim-domain.ts";

const DEFAULT_MAX_EVTCHN_PORT = 1023;
const MOST_VCPUS = 8192;
/** hvm/params.h: HVMPTM_one_missed_tick_pending is the last timer mode. */
const LARGEST_PARAM: Record<HvmParam, number> = {
	// HVMPV_feature_mask of 4.17: thirteen bits.
	viridian: 0x1fff,
	timerMode: 3,
	hpetEnabled: 1,
	acpiSState: 3,
	vptAlign: 1,
	mcaCap: 1 << 27,
};
const MOST_PORTS = 0x1_0000;
/** The serial port of the hypervisor's console. */
const XEN_CONSOLE = { first: 0x3f8, count: 8 } as const;
const LARGEST_FRAME = 2 ** 40;
const MOST_KEYS = 256;
/** e820.h: E820MAX. */
const MOST_REGIONS = 128;
/** elf.h: ELF64, little-endian, ET_CORE, x86-64, no program headers. */
const ELF_CORE = Buffer.concat([
	Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]),
	Buffer.alloc(8),
	Buffer.from([4, 0, 62, 0]),
	Buffer.alloc(44),
]);

/** Domain control of a simulated host. */
export class SimDomains implements Domains {
	readonly #parts: ProcessParts;

	constructor(parts: ProcessParts) {
		this.#parts = parts;
	}

	async create(request: CreateDomain): Promise<DomId> {
		const { uuid, type, maxVcpus, maxEvtchnPort = DEFAULT_MAX_EVTCHN_PORT, cpupool = 0 } = request;
		checkInteger("maxVcpus", maxVcpus, 1, MOST_VCPUS);
		checkInteger("maxEvtchnPort", maxEvtchnPort, 0, 0x7fff_ffff);
		uuidToBytes(uuid);
		const { calls, host } = this.#parts;
		const attempt = `Could not create a domain of type ${type}`;
		return calls.run({ name: "domains.create", attempt, fields: { uuid } }, () => {
			const pool = host.cpus.find(cpupool);
			if (!pool || pool.cpus.size === 0) throw new SimFailure("XEN_DOMCTL_createdomain", "EINVAL");
			// domctl.h: nested virtualization and alternate tables stand on hardware-assisted paging.
			const needsHap = request.nestedVirt === true || request.altp2m !== undefined;
			if (needsHap && (type === "pv" || request.hap === false))
				throw new SimFailure("XEN_DOMCTL_createdomain", "EINVAL");
			const hasIommu = request.iommu !== undefined;
			// domain.c: sanitise_domain_config.
			if (hasIommu && !host.iommu.isPresent) throw new SimFailure("XEN_DOMCTL_createdomain", "EINVAL");
			const domain = host.create({ uuid, type, maxVcpus, maxEvtchnPort, cpupool, hasIommu });
			domain.scheduling = host.cpus.defaults(pool);
			return domain.domid;
		});
	}

	async destroy(domid: DomId): Promise<void> {
		await this.#call("destroy", domid, "destroy", () => this.#parts.host.destroy(domid));
	}

	pause(domid: DomId): Promise<void> {
		return this.#on("pause", domid, "pause", (domain) => {
			domain.pauseCount++;
		});
	}

	unpause(domid: DomId): Promise<void> {
		return this.#on("unpause", domid, "unpause", (domain) => {
			if (domain.pauseCount === 0) throw new SimFailure("XEN_DOMCTL_unpausedomain", "EINVAL");
			if (--domain.pauseCount === 0) this.#parts.host.run(domain);
		});
	}

	async shutdown(domid: DomId, reason: ShutdownReason): Promise<void> {
		if (!(SHUTDOWN_REASONS as readonly string[]).includes(reason))
			throw new TypeError(`Shutdown reason ${reason} has no number`);
		await this.#on("shutdown", domid, "shut down", (domain) => this.#parts.host.shutDown(domain, reason));
	}

	list(): Promise<DomainInfo[]> {
		const { calls, host } = this.#parts;
		return calls.run({ name: "domains.list", attempt: "Could not list the domains" }, () =>
			[...host.domains].map((domain) => domain.info(host.clock.now())),
		);
	}

	find(domid: DomId): Promise<DomainInfo | undefined> {
		const { host } = this.#parts;
		return this.#call("find", domid, "look up", () => host.find(domid)?.info(host.clock.now()));
	}

	async setHandle(domid: DomId, handle: Uuid): Promise<void> {
		uuidToBytes(handle);
		await this.#on("setHandle", domid, "change the handle of", (domain) => {
			domain.uuid = handle;
		});
	}

	setMaxVcpus(domid: DomId, count: number): Promise<void> {
		return this.#on("setMaxVcpus", domid, "set the number of virtual CPUs of", (domain) => {
			if (count > domain.maxVcpus || count < 1) throw new SimFailure("XEN_DOMCTL_max_vcpus", "EINVAL");
			domain.vcpus = count;
		});
	}

	async setMaxMemory(domid: DomId, maxKiB: number): Promise<void> {
		checkInteger("maxKiB", maxKiB, 0, Number.MAX_SAFE_INTEGER);
		await this.#on("setMaxMemory", domid, "set the memory limit of", (domain) => {
			domain.maxKiB = maxKiB;
		});
	}

	async setMemoryMapLimit(domid: DomId, maxKiB: number): Promise<void> {
		checkInteger("maxKiB", maxKiB, 0, Number.MAX_SAFE_INTEGER);
		await this.#on("setMemoryMapLimit", domid, "set the memory map limit of", () => {});
	}

	async setPagingMempool(domid: DomId, bytes: number): Promise<void> {
		checkInteger("bytes", bytes, 0, Number.MAX_SAFE_INTEGER);
		const { host } = this.#parts;
		await this.#on("setPagingMempool", domid, "set the paging pool of", (domain) => {
			const kib = Math.ceil(bytes / 1024);
			if (kib - domain.poolKiB > host.freeKiB) throw new SimFailure("XEN_DOMCTL_set_paging_mempool_size", "ENOMEM");
			domain.poolKiB = kib;
		});
	}

	async setPodTarget(domid: DomId, targetKiB: number): Promise<void> {
		checkInteger("targetKiB", targetKiB, 0, Number.MAX_SAFE_INTEGER);
		await this.#on("setPodTarget", domid, "set the populate-on-demand target of", (domain) => {
			if (domain.type === "pv" || targetKiB > domain.maxKiB) throw new SimFailure("XENMEM_set_pod_target", "EINVAL");
			domain.podTargetKiB = targetKiB;
		});
	}

	setTscMode(domid: DomId, mode: TscMode): Promise<void> {
		return this.#on("setTscMode", domid, "set the TSC mode of", (domain) => {
			domain.tscMode = mode;
		});
	}

	async setTimeOffset(domid: DomId, seconds: number): Promise<void> {
		checkInteger("seconds", seconds, -(2 ** 31), 2 ** 31 - 1);
		await this.#on("setTimeOffset", domid, "set the time offset of", (domain) => {
			domain.timeOffsetSeconds = seconds;
		});
	}

	async applyCpuPolicy(domid: DomId, policy: CpuPolicy = {}): Promise<void> {
		for (const { leaf, subleaf, ...registers } of policy.leaves ?? []) {
			checkInteger("leaf", leaf, 0, 0xffff_fffe);
			if (subleaf !== undefined) checkInteger("subleaf", subleaf, 0, 0xffff_ffff);
			for (const bits of Object.values(registers))
				if (bits !== undefined && !/^[01xks]{32}$/.test(bits))
					throw new TypeError("A register must be 32 letters of 0, 1, x, k, s");
		}
		await this.#on("applyCpuPolicy", domid, "apply the CPU policy to", (domain) => {
			domain.cpuPolicy = policy;
		});
	}

	async sendTrigger(domid: DomId, trigger: Trigger, vcpu = 0): Promise<void> {
		if (!Object.hasOwn(TRIGGERS, trigger)) throw new TypeError(`Trigger ${trigger} has no number`);
		await this.#on("sendTrigger", domid, `send ${trigger} to`, (domain) => {
			if (vcpu >= domain.vcpus) throw new SimFailure("XEN_DOMCTL_sendtrigger", "ESRCH");
			if (trigger !== "nmi" && domain.type === "pv") throw new SimFailure("XEN_DOMCTL_sendtrigger", "ENOSYS");
			domain.triggers.push(trigger);
		});
	}

	async permitIoPorts(domid: DomId, range: HardwareRange, allow: boolean): Promise<void> {
		checkRange(range, MOST_PORTS);
		await this.#on("permitIoPorts", domid, "set the I/O ports of", (domain) => {
			// What Xen keeps for itself nobody can give away.
			if (range.first < XEN_CONSOLE.first + XEN_CONSOLE.count && range.first + range.count > XEN_CONSOLE.first)
				throw new SimFailure("XEN_DOMCTL_ioport_permission", "EPERM");
			permit(domain.ioPorts, range, allow);
		});
	}

	async permitIrq(domid: DomId, irq: number): Promise<number> {
		checkInteger("irq", irq, 0, 0xffff);
		return this.#on("permitIrq", domid, `give interrupt ${irq} to`, (domain) => {
			domain.irqs.push(irq);
			return irq;
		});
	}

	async withdrawIrq(domid: DomId, pirq: number): Promise<void> {
		checkInteger("pirq", pirq, 0, 0xffff);
		await this.#on("withdrawIrq", domid, `take interrupt ${pirq} from`, (domain) => {
			if (!domain.irqs.includes(pirq)) throw new SimFailure("PHYSDEVOP_unmap_pirq", "EINVAL");
			domain.irqs.splice(domain.irqs.indexOf(pirq), 1);
		});
	}

	async permitMemory(domid: DomId, range: HardwareRange, allow: boolean): Promise<void> {
		checkRange(range, LARGEST_FRAME);
		await this.#on("permitMemory", domid, "set the device memory of", (domain) =>
			permit(domain.deviceFrames, range, allow),
		);
	}

	async mapMemory(domid: DomId, range: HardwareRange, guestFrame: number): Promise<void> {
		checkRange(range, LARGEST_FRAME);
		checkInteger("guestFrame", guestFrame, 0, LARGEST_FRAME);
		await this.#on("mapMemory", domid, "map device memory into", (domain) => {
			const isPermitted = domain.deviceFrames.some(
				({ first, count }) => range.first >= first && range.first + range.count <= first + count,
			);
			if (domain.type === "pv" || !isPermitted) throw new SimFailure("XEN_DOMCTL_memory_mapping", "EPERM");
		});
	}

	hostMemoryMap(): Promise<MemoryRegion[]> {
		const { calls, host } = this.#parts;
		const attempt = "Could not read the host's memory map";
		return calls.run({ name: "domains.hostMemoryMap", attempt }, () => host.memoryMap);
	}

	async setMemoryMap(domid: DomId, regions: readonly MemoryRegion[]): Promise<void> {
		checkInteger("regions", regions.length, 1, MOST_REGIONS);
		for (const { start, size } of regions) {
			checkInteger("start", start, 0, Number.MAX_SAFE_INTEGER);
			checkInteger("size", size, 0, Number.MAX_SAFE_INTEGER);
		}
		await this.#on("setMemoryMap", domid, "set the memory map of", (domain) => {
			domain.memoryMap = [...regions];
		});
	}

	/** The simulated Xen has no XSM. */
	async securityId(label: string): Promise<number> {
		const attempt = `Could not look up the security label ${label}`;
		return this.#parts.calls.run({ name: "domains.securityId", attempt, fields: { label } }, () => {
			throw new SimFailure("xc_flask_context_to_sid", "ENOSYS");
		});
	}

	async sendDebugKeys(keys: string): Promise<void> {
		if (keys.length > MOST_KEYS) throw new TypeError(`keys is longer than ${MOST_KEYS} bytes`);
		const { calls, host } = this.#parts;
		await calls.run({ name: "domains.sendDebugKeys", attempt: "Could not send debug keys", fields: { keys } }, () => {
			for (const key of keys) host.log(`'${key}' pressed`);
		});
	}

	setHvmParam(domid: DomId, param: HvmParam, value: number): Promise<void> {
		const verb = `set HVM parameter ${param} (${HVM_PARAMS[param]}) of`;
		return this.#on("setHvmParam", domid, verb, (domain) => {
			if (domain.type === "pv" || value > LARGEST_PARAM[param] || value < 0)
				throw new SimFailure("HVMOP_set_param", "EINVAL");
			domain.hvmParams.set(param, value);
		});
	}

	allocUnboundEvtchn(domid: DomId, remote: DomId): Promise<EvtchnPort> {
		return this.#on(
			"allocUnboundEvtchn",
			domid,
			"allocate an event channel in",
			(domain) => domain.ports.allocate(remote).port,
		);
	}

	setTarget(stub: DomId, guest: DomId): Promise<void> {
		return this.#on("setTarget", stub, `give power over domain ${guest} to`, (domain) => {
			const target = this.#parts.host.find(guest);
			if (!target || target.isDying) throw new SimFailure("XEN_DOMCTL_set_target", "ESRCH");
			if (target === domain || domain.target !== undefined) throw new SimFailure("XEN_DOMCTL_set_target", "EINVAL");
			domain.target = guest;
		});
	}

	/** The header of a core without any memory: simulated domains have little of it. */
	async dumpCore(domid: DomId, fd: number): Promise<void> {
		checkInteger("fd", fd, 0, 0x7fff_ffff);
		await this.#on("dumpCore", domid, "dump the core of", () => {
			writeSync(fd, ELF_CORE);
		});
	}

	hostInfo(): Promise<HostInfo> {
		const { calls, host } = this.#parts;
		return calls.run({ name: "domains.hostInfo", attempt: "Could not read the host's figures" }, () => host.info());
	}

	readConsoleRing(): Promise<string> {
		const { calls, host } = this.#parts;
		const attempt = "Could not read the hypervisor's console";
		return calls.run({ name: "domains.readConsoleRing", attempt }, () => host.consoleText);
	}

	/** The domain exists, and is not on its way out. */
	#on<T>(name: string, domid: DomId, verb: string, act: (domain: SimDomain) => T): Promise<T> {
		return this.#call(name, domid, verb, () => {
			const domain = this.#parts.host.find(domid);
			if (!domain || domain.isDying) throw new SimFailure(`domctl ${name}`, "ESRCH");
			return act(domain);
		});
	}

	async #call<T>(name: string, domid: DomId, verb: string, act: () => T): Promise<T> {
		checkDomid(domid);
		const attempt = `Could not ${verb} domain ${domid}`;
		return this.#parts.calls.run({ name: `domains.${name}`, attempt, fields: { domid }, domid }, act);
	}
}

/** What a new domain is made of. */
export interface SimCreate {
	uuid: Uuid;
	type: DomainType;
	maxVcpus: number;
	maxEvtchnPort: number;
	cpupool: number;
	hasIommu: boolean;
}

/** @throws TypeError */
function checkRange({ first, count }: HardwareRange, most: number): void {
	checkInteger("first", first, 0, most - 1);
	checkInteger("count", count, 1, most - first);
}

function permit(ranges: HardwareRange[], range: HardwareRange, allow: boolean): void {
	if (allow) ranges.push(range);
	else ranges.splice(0, ranges.length, ...ranges.filter(({ first }) => first !== range.first));
}
