import type { DomId } from "@bulkhead/base";

/** domctl.h: XEN_SCHEDULER_*. */
export const SCHEDULERS = { credit: 5, credit2: 6, arinc653: 7, rtds: 8, null: 9 } as const;
export type SchedulerName = keyof typeof SCHEDULERS;

/** A domain's share of the processors, in the terms of its cpupool's scheduler. */
export type SchedulingParameters =
	| { scheduler: "credit"; weight: number; cap: number }
	| { scheduler: "credit2"; weight: number; cap: number }
	| { scheduler: "rtds"; periodUs: number; budgetUs: number };

/** domctl.h: xen_domctl_getvcpuinfo. */
export interface VcpuInfo {
	vcpu: number;
	online: boolean;
	blocked: boolean;
	running: boolean;
	cpuTimeNs: number;
	/** The processor that it runs on, or ran on last. */
	cpu: number;
}

/** Where a vcpu must run and where it would rather run: numbers of processors, ascending. */
export interface Affinity {
	hard: readonly number[];
	soft: readonly number[];
}

/** Processors with a scheduler of their own, and the domains on them. */
export interface CpuPool {
	id: number;
	scheduler: SchedulerName | "unknown";
	domains: number;
	cpus: readonly number[];
}

/** sysctl.h: xen_sysctl_cputopo. */
export interface CpuPlace {
	cpu: number;
	core: number;
	socket: number;
	node: number;
}

/** Who runs on which processor, and how much of it. Errors are HypervisorError. */
export interface Cpus {
	vcpu(domid: DomId, vcpu: number): Promise<VcpuInfo>;
	affinity(domid: DomId, vcpu: number): Promise<Affinity>;
	/** What is absent stays as it is. Xen refuses a hard affinity without a processor of the domain's pool. */
	setAffinity(domid: DomId, vcpu: number, affinity: Partial<Affinity>): Promise<void>;
	/** NUMA nodes that the domain's memory comes from by preference, ascending. */
	nodeAffinity(domid: DomId): Promise<number[]>;
	setNodeAffinity(domid: DomId, nodes: readonly number[]): Promise<void>;
	/** The processors that are online. */
	topology(): Promise<CpuPlace[]>;
	/** By the scheduler of the domain's pool. */
	scheduling(domid: DomId): Promise<SchedulingParameters>;
	/** @throws HypervisorError EINVAL when the domain's scheduler is another, or a value is out of its range */
	setScheduling(domid: DomId, parameters: SchedulingParameters): Promise<void>;
	pools(): Promise<CpuPool[]>;
	/** An empty pool; answers its number. */
	createPool(scheduler: SchedulerName): Promise<number>;
	/** @throws HypervisorError EBUSY while it has processors or domains */
	destroyPool(pool: number): Promise<void>;
	/** The processor must belong to no pool. */
	addCpu(pool: number, cpu: number): Promise<void>;
	/** The processor then belongs to no pool. */
	removeCpu(pool: number, cpu: number): Promise<void>;
	moveDomain(domid: DomId, pool: number): Promise<void>;
}
