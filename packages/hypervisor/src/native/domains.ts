import { type DomId, domId, type EvtchnPort, evtchnPort, type Uuid, uuidFromBytes, uuidToBytes } from "@bulkhead/base";
import { HypervisorError } from "../errors.ts";
import {
	ALTP2M_MODES,
	type CpuPolicy,
	type CreateDomain,
	type DomainInfo,
	type Domains,
	type HardwareRange,
	type HostInfo,
	HVM_PARAMS,
	type HvmParam,
	MEMORY_TYPES,
	type MemoryRegion,
	SHUTDOWN_REASONS,
	type ShutdownReason,
	TRIGGERS,
	type Trigger,
	TSC_MODES,
	type TscMode,
} from "../ports/domains.ts";
import { attemptAsync } from "../refusal.ts";
import type { ControlAddon, RawCpuPolicy, RawCreate, RawDomain, RawHost } from "./addon-shapes.ts";

const PAGE_KIB = 4;
const DEFAULT_MAX_EVTCHN_PORT = 1023;

/** Domain control by libxenctrl. */
export class NativeDomains implements Domains {
	readonly #addon: ControlAddon;

	constructor(addon: ControlAddon) {
		this.#addon = addon;
	}

	async create(request: CreateDomain): Promise<DomId> {
		const raw = rawCreate(request);
		const { uuid, type } = request;
		return domId(
			await attemptAsync(`Could not create a domain of type ${type}`, () => this.#addon.create(raw), { uuid }),
		);
	}

	async destroy(domid: DomId): Promise<void> {
		try {
			await this.#on(domid, "destroy", () => this.#addon.destroy(domid));
		} catch (error) {
			if (error instanceof HypervisorError && error.errno === "ESRCH") return;
			throw error;
		}
	}

	pause(domid: DomId): Promise<void> {
		return this.#on(domid, "pause", () => this.#addon.pause(domid));
	}

	unpause(domid: DomId): Promise<void> {
		return this.#on(domid, "unpause", () => this.#addon.unpause(domid));
	}

	async shutdown(domid: DomId, reason: ShutdownReason): Promise<void> {
		const number = SHUTDOWN_REASONS.indexOf(reason as (typeof SHUTDOWN_REASONS)[number]);
		if (number < 0) throw new TypeError(`Shutdown reason ${reason} has no number`);
		await this.#on(domid, "shut down", () => this.#addon.shutdown(domid, number));
	}

	async list(): Promise<DomainInfo[]> {
		const domains = await attemptAsync("Could not list the domains", () => this.#addon.list());
		return domains.map(domainInfo);
	}

	async find(domid: DomId): Promise<DomainInfo | undefined> {
		const domain = await this.#on(domid, "look up", () => this.#addon.find(domid));
		return domain && domainInfo(domain);
	}

	setHandle(domid: DomId, handle: Uuid): Promise<void> {
		return this.#on(domid, "change the handle of", () => this.#addon.setHandle(domid, uuidToBytes(handle)));
	}

	setMaxVcpus(domid: DomId, count: number): Promise<void> {
		return this.#on(domid, "set the number of virtual CPUs of", () => this.#addon.setMaxVcpus(domid, count));
	}

	setMaxMemory(domid: DomId, maxKiB: number): Promise<void> {
		return this.#on(domid, "set the memory limit of", () => this.#addon.setMaxMemory(domid, maxKiB));
	}

	setMemoryMapLimit(domid: DomId, maxKiB: number): Promise<void> {
		return this.#on(domid, "set the memory map limit of", () => this.#addon.setMemoryMapLimit(domid, maxKiB));
	}

	setPagingMempool(domid: DomId, bytes: number): Promise<void> {
		return this.#on(domid, "set the paging pool of", () => this.#addon.setPagingMempool(domid, bytes));
	}

	setPodTarget(domid: DomId, targetKiB: number): Promise<void> {
		return this.#on(domid, "set the populate-on-demand target of", () => this.#addon.setPodTarget(domid, targetKiB));
	}

	setTscMode(domid: DomId, mode: TscMode): Promise<void> {
		return this.#on(domid, "set the TSC mode of", () => this.#addon.setTscMode(domid, TSC_MODES[mode]));
	}

	setTimeOffset(domid: DomId, seconds: number): Promise<void> {
		return this.#on(domid, "set the time offset of", () => this.#addon.setTimeOffset(domid, seconds));
	}

	applyCpuPolicy(domid: DomId, policy: CpuPolicy = {}): Promise<void> {
		return this.#on(domid, "apply the CPU policy to", () => this.#addon.applyCpuPolicy(domid, rawPolicy(policy)));
	}

	sendTrigger(domid: DomId, trigger: Trigger, vcpu = 0): Promise<void> {
		return this.#on(domid, `send ${trigger} to`, () => this.#addon.sendTrigger(domid, TRIGGERS[trigger], vcpu));
	}

	permitIoPorts(domid: DomId, { first, count }: HardwareRange, allow: boolean): Promise<void> {
		return this.#on(domid, "set the I/O ports of", () => this.#addon.permitIoPorts(domid, first, count, allow));
	}

	permitIrq(domid: DomId, irq: number): Promise<number> {
		return this.#on(domid, `give interrupt ${irq} to`, () => this.#addon.permitIrq(domid, irq));
	}

	withdrawIrq(domid: DomId, pirq: number): Promise<void> {
		return this.#on(domid, `take interrupt ${pirq} from`, () => this.#addon.withdrawIrq(domid, pirq));
	}

	permitMemory(domid: DomId, { first, count }: HardwareRange, allow: boolean): Promise<void> {
		return this.#on(domid, "set the device memory of", () => this.#addon.permitMemory(domid, first, count, allow));
	}

	mapMemory(domid: DomId, { first, count }: HardwareRange, guestFrame: number): Promise<void> {
		return this.#on(domid, "map device memory into", () => this.#addon.mapMemory(domid, first, count, guestFrame));
	}

	async hostMemoryMap(): Promise<MemoryRegion[]> {
		const regions = await attemptAsync("Could not read the host's memory map", () => this.#addon.hostMemoryMap());
		return regions.map(({ type, ...region }) => ({ ...region, type: MEMORY_TYPES[type - 1] ?? "reserved" }));
	}

	setMemoryMap(domid: DomId, regions: readonly MemoryRegion[]): Promise<void> {
		const column = (of: (region: MemoryRegion) => number): number[] => regions.map(of);
		return this.#on(domid, "set the memory map of", () =>
			this.#addon.setMemoryMap(
				domid,
				column(({ start }) => start),
				column(({ size }) => size),
				column(({ type }) => MEMORY_TYPES.indexOf(type) + 1),
			),
		);
	}

	securityId(label: string): Promise<number> {
		return attemptAsync(`Could not look up the security label ${label}`, () => this.#addon.securityId(label), {
			label,
		});
	}

	sendDebugKeys(keys: string): Promise<void> {
		return attemptAsync("Could not send debug keys", () => this.#addon.sendDebugKeys(keys), { keys });
	}

	setHvmParam(domid: DomId, param: HvmParam, value: number): Promise<void> {
		return this.#on(domid, `set HVM parameter ${param} of`, () =>
			this.#addon.setHvmParam(domid, HVM_PARAMS[param], value),
		);
	}

	async allocUnboundEvtchn(domid: DomId, remote: DomId): Promise<EvtchnPort> {
		return evtchnPort(
			await this.#on(domid, "allocate an event channel in", () => this.#addon.allocUnboundEvtchn(domid, remote)),
		);
	}

	setTarget(stub: DomId, guest: DomId): Promise<void> {
		return this.#on(stub, `give power over domain ${guest} to`, () => this.#addon.setTarget(stub, guest));
	}

	dumpCore(domid: DomId, fd: number): Promise<void> {
		return this.#on(domid, "dump the core of", () => this.#addon.dumpCore(domid, fd));
	}

	async hostInfo(): Promise<HostInfo> {
		return hostInfo(await attemptAsync("Could not read the host's figures", () => this.#addon.hostInfo()));
	}

	async readConsoleRing(): Promise<string> {
		const bytes = await attemptAsync("Could not read the hypervisor's console", () => this.#addon.readConsoleRing());
		return bytes.toString("latin1").replaceAll("\0", "");
	}

	#on<T>(domid: DomId, verb: string, call: () => Promise<T>): Promise<T> {
		return attemptAsync(`Could not ${verb} domain ${domid}`, call, { domid });
	}
}

/** Defaults as libxl has them. */
function rawCreate(request: CreateDomain): RawCreate {
	const { uuid, type, maxVcpus, maxEvtchnPort = DEFAULT_MAX_EVTCHN_PORT, ssidref = 0 } = request;
	const { iommu, altp2m, maxGrantFrames, maxMaptrackFrames } = request;
	return {
		uuid: uuidToBytes(uuid),
		type,
		maxVcpus,
		maxEvtchnPort,
		ssidref,
		grantVersion: request.grantVersion ?? 0,
		cpupool: request.cpupool ?? 0,
		altp2m: altp2m === undefined ? 0 : ALTP2M_MODES.indexOf(altp2m) + 1,
		vmtraceBytes: request.vmtraceBytes ?? 0,
		hap: request.hap ?? true,
		oosOff: request.oos === false,
		nestedVirt: request.nestedVirt ?? false,
		vpmu: request.vpmu ?? false,
		iommu: iommu !== undefined,
		separateIommu: iommu === "separate",
		msrRelaxed: request.msrRelaxed ?? false,
		hvmPirq: request.hvmPirq ?? false,
		...(maxGrantFrames !== undefined && { maxGrantFrames }),
		...(maxMaptrackFrames !== undefined && { maxMaptrackFrames }),
	};
}

/** domctl.h: XEN_CPUID_INPUT_UNUSED. */
const NO_SUBLEAF = 0xffff_ffff;

function rawPolicy({ pae = true, nestedVirt = false, invariantTsc = false, leaves = [] }: CpuPolicy): RawCpuPolicy {
	return {
		pae,
		nestedVirt,
		invariantTsc,
		leaves: leaves.map(({ leaf, subleaf = NO_SUBLEAF, eax = "", ebx = "", ecx = "", edx = "" }) => ({
			leaf,
			subleaf,
			eax,
			ebx,
			ecx,
			edx,
		})),
	};
}

/** Xen's own figures in the port's words (domctl.h: xen_domctl_getdomaininfo). */
export function domainInfo(raw: RawDomain): DomainInfo {
	return {
		domid: raw.domid as DomId,
		uuid: uuidFromBytes(raw.uuid) as Uuid,
		type: raw.hvm ? "hvm-or-pvh" : "pv",
		dying: raw.dying,
		shutdown: raw.shutdown,
		shutdownReason: SHUTDOWN_REASONS[raw.shutdownReason] ?? "unknown",
		paused: raw.paused,
		blocked: raw.blocked,
		running: raw.running,
		totalKiB: raw.totalPages * PAGE_KIB,
		maxKiB: raw.maxPages * PAGE_KIB,
		cpuTimeNs: raw.cpuTimeNs,
		onlineVcpus: raw.onlineVcpus,
		cpupool: raw.cpupool,
		maxVcpuId: raw.maxVcpuId,
	};
}

export function hostInfo(raw: RawHost): HostInfo {
	return {
		xenVersion: `${raw.major}.${raw.minor}${raw.extraVersion}`,
		capabilities: raw.capabilities.split(" ").filter((word) => word !== ""),
		totalKiB: raw.totalPages * PAGE_KIB,
		freeKiB: raw.freePages * PAGE_KIB,
		nrCpus: raw.nrCpus,
		cpuKHz: raw.cpuKHz,
		hvm: raw.hvm,
		hap: raw.hap,
		iommu: raw.iommu,
		commandLine: raw.commandLine.trim(),
		compiler: raw.compiler,
	};
}
