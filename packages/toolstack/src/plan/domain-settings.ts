import type { CpuPolicy, CreateDomain, DomainType, HvmParam, TscMode } from "@bulkhead/hypervisor";
import type { CpuSet, GuestConfig, SchedulingConfig } from "@bulkhead/xlcfg";
import { cpuidLeaves } from "../domain/cpuid-policy.ts";
import { type MemoryGrant, parseMemoryRange, parsePortRange } from "../domain/hardware-ranges.ts";
import { pagingMempoolBytes } from "../domain/prepare.ts";
import { viridianMask } from "../domain/viridian.ts";

/** What a domain is given when it is created, beside its uuid. Names are looked up when the step runs. */
export interface CreateSettings extends Omit<CreateDomain, "uuid" | "ssidref" | "cpupool"> {
	pool?: string;
	securityLabel?: string;
}

/** What a created domain is given before its image. */
export interface PrepareSettings {
	type: DomainType;
	maxVcpus: number;
	memoryKiB: number;
	maxMemoryKiB: number;
	/** 0 for PV. */
	pagingBytes: number;
	hvmParams: Partial<Record<HvmParam, number>>;
	tscMode: TscMode;
	timeOffsetSeconds: number;
	/** The guest's clock shows the host's local time. */
	localtime: boolean;
	cpuPolicy: CpuPolicy;
	/** PV: the guest finds devices where the host has them. */
	hostMemoryMap: boolean;
}

/** Where a domain's vcpus run, and how much. */
export interface PlacementSettings {
	/** Sets in xl's words: the first is vcpu 0's, and so on. */
	cpus: string[];
	cpusSoft: string[];
	/** What the host leaves to the guest. */
	cpuMasks: readonly CpuSet[];
	maxVcpus: number;
	scheduling?: SchedulingConfig;
}

/** Hardware of the host that a domain may use. */
export interface HardwareSettings {
	ioPorts: { first: number; count: number }[];
	irqs: number[];
	memory: MemoryGrant[];
}

const TIMER_MODES = [
	"delay_for_missed_ticks",
	"no_delay_for_missed_ticks",
	"no_missed_ticks_pending",
	"one_missed_tick_pending",
] as const;

/** libxl__domain_make's part. */
export function createSettings(config: GuestConfig): CreateSettings {
	const { type } = config;
	const isPv = type === "pv";
	return {
		type,
		maxVcpus: config.maxVcpus,
		...defined({
			maxEvtchnPort: config.maxEventChannels,
			maxGrantFrames: config.maxGrantFrames,
			maxMaptrackFrames: config.maxMaptrackFrames,
			grantVersion: config.maxGrantVersion === 1 || config.maxGrantVersion === 2 ? config.maxGrantVersion : undefined,
			hap: isPv ? undefined : config.hap,
			oos: isPv ? undefined : config.oos,
			altp2m: isPv ? undefined : config.altp2m,
			vmtraceBytes: config.vmtraceBufferKiB === undefined ? undefined : config.vmtraceBufferKiB * 1024,
			pool: config.pool,
			securityLabel: config.initSecurityLabel ?? config.securityLabel,
		}),
		...(config.nestedHvm && { nestedVirt: true }),
		...(config.vpmu && { vpmu: true }),
		...(config.msrRelaxed && { msrRelaxed: true }),
		...(config.hvmPirq && { hvmPirq: true }),
		...iommuSetting(config),
	};
}

/** With PCI devices the guest is behind the IOMMU, whether its config says so or not. */
function iommuSetting({ passthrough, pci }: GuestConfig): Pick<CreateSettings, "iommu"> {
	const wanted = passthrough ?? (pci.length > 0 ? "enabled" : "disabled");
	return wanted === "disabled" ? {} : { iommu: wanted === "sync_pt" ? "separate" : "shared" };
}

/** libxl__build_pre's and libxl__arch_domain_create's part. */
export function prepareSettings(config: GuestConfig): PrepareSettings {
	const { type, maxVcpus, memoryKiB, maxMemoryKiB, shadowMemoryKiB } = config;
	const paging = shadowMemoryKiB === undefined ? pagingMempoolBytes(maxVcpus, maxMemoryKiB) : shadowMemoryKiB * 1024;
	return {
		type,
		maxVcpus,
		memoryKiB,
		maxMemoryKiB,
		pagingBytes: type === "pv" ? 0 : paging,
		hvmParams: hvmParams(config),
		tscMode: config.tscMode ?? "default",
		timeOffsetSeconds: config.rtcTimeOffsetSeconds,
		localtime: config.localtime,
		cpuPolicy: cpuPolicy(config),
		hostMemoryMap: type === "pv" && config.e820Host,
	};
}

function hvmParams(config: GuestConfig): PrepareSettings["hvmParams"] {
	const { type, timerMode = "no_delay_for_missed_ticks" } = config;
	if (type === "pv") return {};
	const timer = { timerMode: TIMER_MODES.indexOf(timerMode) };
	if (type === "pvh") return timer;
	const viridian = viridianMask(config.viridian);
	return {
		hpetEnabled: Number(config.hpet),
		vptAlign: Number(config.vptAlign),
		...timer,
		...(viridian !== undefined && { viridian }),
	};
}

function cpuPolicy(config: GuestConfig): CpuPolicy {
	// nx has no argument of its own: it is a bit of leaf 0x80000001, edx.
	const leaves = cpuidLeaves(config.nx ? config.cpuid : ["host,nx=0", ...config.cpuid]);
	return {
		...(config.pae ? {} : { pae: false }),
		...(config.nestedHvm && { nestedVirt: true }),
		// A guest that is never moved may rely on the time stamp counter's rate; so may one whose counter is emulated.
		...((config.nomigrate || config.tscMode === "always_emulate") && { invariantTsc: true }),
		...(leaves.length > 0 && { leaves }),
	};
}

/** What is to be placed other than Xen does by itself; undefined: nothing. */
export function placementSettings(config: GuestConfig, cpuMasks: readonly CpuSet[]): PlacementSettings | undefined {
	const { cpus = [], cpusSoft = [], maxVcpus, scheduling } = config;
	if (cpus.length + cpusSoft.length + cpuMasks.length === 0 && scheduling === undefined) return undefined;
	return { cpus, cpusSoft, cpuMasks, maxVcpus, ...(scheduling && { scheduling }) };
}

/** Undefined: none. */
export function hardwareSettings({ ioPorts, irqs, ioMemory }: GuestConfig): HardwareSettings | undefined {
	if (ioPorts.length + irqs.length + ioMemory.length === 0) return undefined;
	return { ioPorts: ioPorts.map(parsePortRange), irqs, memory: ioMemory.map(parseMemoryRange) };
}

/** The fields that have a value. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
		[K in keyof T]?: Exclude<T[K], undefined>;
	};
}
