import type { DomId, EvtchnPort, Uuid } from "@bulkhead/base";

/** What Xen tells of a domain (domctl.h: xen_domctl_getdomaininfo). */
export interface DomainInfo {
	domid: DomId;
	/** The handle given at creation. */
	uuid: Uuid;
	type: "pv" | "hvm-or-pvh";
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

export interface CreateDomain {
	uuid: Uuid;
	type: "pv" | "hvm";
	maxVcpus: number;
	/** Default 1023. */
	maxEvtchnPort?: number;
	ssidref?: number;
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
	/** From xen_commandline, xen_changeset, compile info when available. */
	commandLine: string;
	compiler: string;
}

/** HVM params that the toolstack sets (hvm/params.h). */
export const HVM_PARAMS = { timerMode: 10, hpetEnabled: 11, vptAlign: 16 } as const;
export type HvmParam = keyof typeof HVM_PARAMS;

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
	setMaxVcpus(domid: DomId, count: number): Promise<void>;
	setMaxMemory(domid: DomId, maxKiB: number): Promise<void>;
	/** PV: limit of the pseudo-physical map. */
	setMemoryMapLimit(domid: DomId, maxKiB: number): Promise<void>;
	setPagingMempool(domid: DomId, bytes: number): Promise<void>;
	/** xc_domain_set_tsc_info with mode 0 (default). */
	setDefaultTsc(domid: DomId): Promise<void>;
	/** xc_cpuid_apply_policy with defaults and PAE. */
	applyDefaultCpuPolicy(domid: DomId): Promise<void>;
	setHvmParam(domid: DomId, param: HvmParam, value: number): Promise<void>;
	/** An event channel of `domid` that `remote` may bind. */
	allocUnboundEvtchn(domid: DomId, remote: DomId): Promise<EvtchnPort>;
	/** Makes `stub` privileged over `guest` (domctl set_target). */
	setTarget(stub: DomId, guest: DomId): Promise<void>;
	hostInfo(): Promise<HostInfo>;
	/** The hypervisor's message ring, as `xl dmesg` shows it. */
	readConsoleRing(): Promise<string>;
}
