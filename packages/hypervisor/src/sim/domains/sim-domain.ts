import { DOM0, type DomId, type Uuid } from "@bulkhead/base";
import type { Affinity, SchedulingParameters } from "../../ports/cpus.ts";
import type {
	CpuPolicy,
	DomainInfo,
	DomainType,
	HardwareRange,
	HvmParam,
	MemoryRegion,
	ShutdownReason,
	Trigger,
	TscMode,
} from "../../ports/domains.ts";
import { SimPorts } from "../events/sim-port.ts";
import type { RunningGuest } from "../guests/running-guest.ts";
import type { SimImage } from "../guests/sim-image.ts";
import { SimPage } from "../memory/sim-page.ts";

export interface SimGrant {
	page: SimPage;
	/** Who may map it. */
	to: DomId;
	writable: boolean;
}

/** Frames that a domain may have, beginning with `first`. */
interface FrameRange {
	first: number;
	count: number;
}

export interface NewDomain {
	domid: DomId;
	uuid: Uuid;
	type: DomainType;
	maxVcpus: number;
	maxEvtchnPort: number;
	cpupool: number;
	createdAtMs: number;
	hasIommu: boolean;
}

/** What Xen keeps of a domain. Figures only: who may do what is decided by the calls. */
export class SimDomain {
	readonly domid: DomId;
	uuid: Uuid;
	readonly type: DomainType;
	readonly maxVcpus: number;
	readonly ports: SimPorts;
	readonly grants: Map<number, SimGrant> = new Map();
	readonly hvmParams: Map<HvmParam, number> = new Map();
	/** The domain that this one is privileged over. */
	target: DomId | undefined;
	/** Pauses in force; a new domain has one. */
	pauseCount = 1;
	vcpus = 0;
	maxKiB = 0;
	totalKiB = 0;
	/** The paging pool, beside totalKiB. */
	poolKiB = 0;
	/** Populated on demand: what it may touch. */
	podTargetKiB: number | undefined;
	cpupool: number;
	/** By vcpu, where it differs from every processor. */
	readonly affinity: Map<number, Affinity> = new Map();
	nodeAffinity: readonly number[] = [0];
	scheduling: SchedulingParameters = { scheduler: "credit2", weight: 256, cap: 0 };
	/** What was sent to it from outside. */
	readonly triggers: Trigger[] = [];
	tscMode: TscMode = "default";
	timeOffsetSeconds = 0;
	cpuPolicy: CpuPolicy | undefined;
	readonly ioPorts: HardwareRange[] = [];
	readonly irqs: number[] = [];
	readonly deviceFrames: HardwareRange[] = [];
	/** It may have PCI devices. */
	readonly hasIommu: boolean;
	memoryMap: readonly MemoryRegion[] | undefined;
	shutdownReason: ShutdownReason | undefined;
	isDying = false;
	/** Its memory has been given back, as far as nobody else maps it. */
	isScrubbed = false;
	/** Mappings of its pages that other domains hold. */
	foreignMappings = 0;
	/** What the builder loaded. */
	image: SimImage | undefined;
	guest: RunningGuest | undefined;
	readonly #createdAtMs: number;
	readonly #pages = new Map<number, SimPage>();
	readonly #ranges: FrameRange[] = [];
	#lastGrant = 7;

	constructor({ domid, uuid, type, maxVcpus, maxEvtchnPort, cpupool, createdAtMs, hasIommu }: NewDomain) {
		this.hasIommu = hasIommu;
		this.cpupool = cpupool;
		this.domid = domid;
		this.uuid = uuid;
		this.type = type;
		this.maxVcpus = maxVcpus;
		this.#createdAtMs = createdAtMs;
		this.ports = new SimPorts(domid, maxEvtchnPort, () => this.isRunnable);
	}

	/** Whether its code may run now. */
	get isRunnable(): boolean {
		return this.pauseCount === 0 && this.shutdownReason === undefined && !this.isDying;
	}

	addFrames(first: number, count: number): void {
		this.#ranges.push({ first, count });
	}

	/** The page behind a frame number; made, zeroed, when it is first looked at. */
	findPage(frame: number): SimPage | undefined {
		const found = this.#pages.get(frame);
		if (found) return found;
		if (!this.#ranges.some(({ first, count }) => frame >= first && frame < first + count)) return undefined;
		const page = new SimPage();
		this.#pages.set(frame, page);
		return page;
	}

	/** Grants a page of the domain, at a reference above those that Xen reserves (grant_table.h: 8 of them). */
	grant(page: SimPage, to: DomId, writable: boolean): number {
		const ref = ++this.#lastGrant;
		this.grants.set(ref, { page, to, writable });
		return ref;
	}

	info(nowMs: number): DomainInfo {
		const isDom0 = this.domid === DOM0;
		const hasRun = isDom0 || this.guest !== undefined;
		return {
			domid: this.domid,
			uuid: this.uuid,
			type: this.type === "pv" ? "pv" : "hvm-or-pvh",
			cpupool: this.cpupool,
			dying: this.isDying,
			shutdown: this.shutdownReason !== undefined,
			shutdownReason: this.shutdownReason ?? "unknown",
			paused: this.pauseCount > 0,
			blocked: !isDom0 && hasRun && this.isRunnable,
			running: isDom0,
			totalKiB: this.totalKiB,
			maxKiB: this.maxKiB,
			// Nothing is computed: a domain that has run has used a thousandth of its time.
			cpuTimeNs: hasRun ? Math.max(1, Math.round((nowMs - this.#createdAtMs) * 1000)) : 0,
			onlineVcpus: this.vcpus,
			maxVcpuId: Math.max(0, this.vcpus - 1),
		};
	}
}
