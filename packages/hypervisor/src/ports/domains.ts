import type { DomId, EvtchnPort, Uuid } from "@bulkhead/base";

/** What Xen tells of a domain (domctl.h: xen_domctl_getdomaininfo). */
export interface DomainInfo {
	domid: DomId;
	/** The handle given at creation. */
	uuid: Uuid;
	type: "pv" | "hvm-or-pvh";
	/** Number of the cpupool that it runs in. */
	cpupool: number;
	dying: boolean;
	shutdown: boolean;
	/** Valid only while `shutdown`: sched.h SHUTDOWN_*. */
	shutdownReason: ShutdownReason;
	paused: boolean;
	blocked: boolean;
	running: boolean;
	totalKiB: number;
	maxKiB: number;
	cpuTimeNs: number;
	onlineVcpus: number;
	maxVcpuId: number;
}

export const SHUTDOWN_REASONS = ["poweroff", "reboot", "suspend", "crash", "watchdog", "soft-reset"] as const;
export type ShutdownReason = (typeof SHUTDOWN_REASONS)[number] | "unknown";

/** What kind of machine a domain is (libxl_types.idl: domain_type). */
export type DomainType = "pv" | "hvm" | "pvh";

/** domctl.h: xen_domctl_createdomain. Absent: as libxl has it. */
export interface CreateDomain {
	uuid: Uuid;
	type: DomainType;
	maxVcpus: number;
	/** Default 1023. */
	maxEvtchnPort?: number;
	/** Default: the label that Xen gives to a new domain. */
	ssidref?: number;
	/** Absent: Xen's own limits. */
	maxGrantFrames?: number;
	maxMaptrackFrames?: number;
	/** Default: the newest that Xen offers. */
	grantVersion?: 1 | 2;
	/** HVM and PVH: hardware-assisted paging. Default true. */
	hap?: boolean;
	/** HVM and PVH without hap: out-of-sync shadow page tables. Default true. */
	oos?: boolean;
	nestedVirt?: boolean;
	vpmu?: boolean;
	/** Reads of unknown MSRs answer 0 in place of a fault. */
	msrRelaxed?: boolean;
	/** HVM on Xen 4.19 and later: interrupts over event channels. Earlier ones have it always. */
	hvmPirq?: boolean;
	/** The domain may have devices behind the IOMMU. */
	iommu?: "shared" | "separate";
	/** HVM and PVH: alternate second-level page tables. */
	altp2m?: Altp2mMode;
	/** Processor trace of each vcpu; a power of two. */
	vmtraceBytes?: number;
	/** Number of the cpupool that it starts in. Default 0. */
	cpupool?: number;
}

/** hvm/params.h: XEN_ALTP2M_*, from 1 on. */
export const ALTP2M_MODES = ["mixed", "external", "limited"] as const;
export type Altp2mMode = (typeof ALTP2M_MODES)[number];

/** How a guest's time stamp counter runs (domctl 60; xl.cfg: tsc_mode). */
export const TSC_MODES = { default: 0, always_emulate: 1, native: 2 } as const;
export type TscMode = keyof typeof TSC_MODES;

/** What reaches into a domain from outside, like a button of a PC (domctl.h: XEN_DOMCTL_SENDTRIGGER_*). */
export const TRIGGERS = { nmi: 0, reset: 1, init: 2, power: 3, sleep: 4 } as const;
export type Trigger = keyof typeof TRIGGERS;

export const CPUID_REGISTERS = ["eax", "ebx", "ecx", "edx"] as const;
export type CpuidRegister = (typeof CPUID_REGISTERS)[number];

/**
 * Bits of one CPUID leaf (xenctrl.h: xc_xend_cpuid). A register has 32 letters from bit 31 down: 0 and 1 force the bit,
 * x leaves what Xen would give, k and s take the host's.
 */
export type CpuidLeaf = { leaf: number; subleaf?: number } & { readonly [register in CpuidRegister]?: string };

/** What the virtual CPU says of itself, beyond what Xen decides (xc_cpuid_apply_policy). */
export interface CpuPolicy {
	/** HVM with shadow paging only; Xen ignores it elsewhere. Default true. */
	pae?: boolean;
	nestedVirt?: boolean;
	/** The time stamp counter's rate never changes: for guests that are never moved. */
	invariantTsc?: boolean;
	leaves?: readonly CpuidLeaf[];
}

/** A host's figures (sysctl.h: physinfo; version.h). */
export interface HostInfo {
	/** "4.17.7": major.minor and extra version as Xen gives it. */
	xenVersion: string;
	/** "xen-3.0-x86_64 hvm-3.0-x86_64 …" */
	capabilities: string[];
	totalKiB: number;
	freeKiB: number;
	nrCpus: number;
	cpuKHz: number;
	hvm: boolean;
	hap: boolean;
	/** Devices can be given to guests (xl info: hvm_directio). */
	iommu: boolean;
	/** From xen_commandline, xen_changeset, compile info when available. */
	commandLine: string;
	compiler: string;
}

/** Kinds of memory in a map (E820), from 1 on. */
export const MEMORY_TYPES = ["ram", "reserved", "acpi", "nvs", "unusable"] as const;

/** A piece of a machine's memory map, in bytes. */
export interface MemoryRegion {
	start: number;
	size: number;
	type: (typeof MEMORY_TYPES)[number];
}

/** HVM params that the toolstack sets (hvm/params.h). */
export const HVM_PARAMS = {
	/** HVMPV_*: which of Hyper-V's interfaces the guest finds. */
	viridian: 9,
	timerMode: 10,
	hpetEnabled: 11,
	/** 0 wakes a guest from ACPI S3. */
	acpiSState: 14,
	vptAlign: 16,
	mcaCap: 38,
} as const;
export type HvmParam = keyof typeof HVM_PARAMS;

/** `count` ports or frames from `first` on. */
export interface HardwareRange {
	first: number;
	count: number;
}

/** Domain control: one promise per hypercall. Errors are HypervisorError. */
export interface Domains {
	/** xc_domain_create: a paused domain without memory; Xen chooses the domid. */
	create(request: CreateDomain): Promise<DomId>;
	/** Starts the destruction; the domain may stay `dying` while others map its memory. Idempotent: no such domain is success. */
	destroy(domid: DomId): Promise<void>;
	pause(domid: DomId): Promise<void>;
	unpause(domid: DomId): Promise<void>;
	/** xc_domain_shutdown: marks the domain as shut down for that reason, as its own SCHEDOP_shutdown would. */
	shutdown(domid: DomId, reason: ShutdownReason): Promise<void>;
	list(): Promise<DomainInfo[]>;
	find(domid: DomId): Promise<DomainInfo | undefined>;
	/** Another uuid than the one given at creation. */
	setHandle(domid: DomId, handle: Uuid): Promise<void>;
	setMaxVcpus(domid: DomId, count: number): Promise<void>;
	setMaxMemory(domid: DomId, maxKiB: number): Promise<void>;
	/** PV: limit of the pseudo-physical map. */
	setMemoryMapLimit(domid: DomId, maxKiB: number): Promise<void>;
	setPagingMempool(domid: DomId, bytes: number): Promise<void>;
	/** Populate-on-demand: how much of its memory the domain may touch before its balloon driver gives some back. */
	setPodTarget(domid: DomId, targetKiB: number): Promise<void>;
	setTscMode(domid: DomId, mode: TscMode): Promise<void>;
	/** Seconds between the guest's real-time clock and UTC. */
	setTimeOffset(domid: DomId, seconds: number): Promise<void>;
	applyCpuPolicy(domid: DomId, policy?: CpuPolicy): Promise<void>;
	setHvmParam(domid: DomId, param: HvmParam, value: number): Promise<void>;
	/** An event channel of `domid` that `remote` may bind. */
	allocUnboundEvtchn(domid: DomId, remote: DomId): Promise<EvtchnPort>;
	/** Makes `stub` privileged over `guest` (domctl set_target). */
	setTarget(stub: DomId, guest: DomId): Promise<void>;
	/** HVM and PVH. An NMI goes to one vcpu; PV guests take that one only. */
	sendTrigger(domid: DomId, trigger: Trigger, vcpu?: number): Promise<void>;
	/** Lets the domain use (or no longer use) ports of the host, from `first` on. */
	permitIoPorts(domid: DomId, range: HardwareRange, allow: boolean): Promise<void>;
	/** Gives an interrupt of the host to the domain; answers the number that it has there. */
	permitIrq(domid: DomId, irq: number): Promise<number>;
	/** Takes an interrupt back, by the domain's own number of it. */
	withdrawIrq(domid: DomId, pirq: number): Promise<void>;
	/** Lets the domain map frames of the host's memory-mapped devices. */
	permitMemory(domid: DomId, range: HardwareRange, allow: boolean): Promise<void>;
	/** HVM and PVH: makes such frames appear in the guest from `guestFrame` on. */
	mapMemory(domid: DomId, range: HardwareRange, guestFrame: number): Promise<void>;
	/** The host's own memory map; kinds that are not known count as reserved. */
	hostMemoryMap(): Promise<MemoryRegion[]>;
	/** PV: the map that the guest finds, 1 to 128 regions. */
	setMemoryMap(domid: DomId, regions: readonly MemoryRegion[]): Promise<void>;
	/** The number of a FLASK label. @throws HypervisorError ENOSYS when Xen runs without XSM */
	securityId(label: string): Promise<number>;
	/**
	 * Writes an ELF core of the domain's memory and processors to an open file (docs/misc/dump-core-format.txt). The domain
	 * should not run meanwhile: pause it. Fails for a PV guest that has not set up its table of frames yet.
	 */
	dumpCore(domid: DomId, fd: number): Promise<void>;
	hostInfo(): Promise<HostInfo>;
	/** Keys of the hypervisor's own console (xl debug-keys); what they print is in its message ring. */
	sendDebugKeys(keys: string): Promise<void>;
	/** The hypervisor's message ring, as `xl dmesg` shows it. */
	readConsoleRing(): Promise<string>;
}
