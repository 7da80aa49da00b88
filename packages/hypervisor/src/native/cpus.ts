import type { DomId } from "@bulkhead/base";
import {
	type Affinity,
	type CpuPlace,
	type CpuPool,
	type Cpus,
	SCHEDULERS,
	type SchedulerName,
	type SchedulingParameters,
	type VcpuInfo,
} from "../ports/cpus.ts";
import { attemptAsync } from "../refusal.ts";
import type { ControlAddon } from "./addon-shapes.ts";

/** Processors and scheduling by libxenctrl. */
export class NativeCpus implements Cpus {
	readonly #addon: ControlAddon;

	constructor(addon: ControlAddon) {
		this.#addon = addon;
	}

	async vcpu(domid: DomId, vcpu: number): Promise<VcpuInfo> {
		return { vcpu, ...(await this.#on(domid, `look at vcpu ${vcpu} of`, () => this.#addon.getVcpu(domid, vcpu))) };
	}

	affinity(domid: DomId, vcpu: number): Promise<Affinity> {
		return this.#on(domid, `read the affinity of vcpu ${vcpu} of`, () => this.#addon.getAffinity(domid, vcpu));
	}

	setAffinity(domid: DomId, vcpu: number, { hard, soft }: Partial<Affinity>): Promise<void> {
		return this.#on(domid, `pin vcpu ${vcpu} of`, () => this.#addon.setAffinity(domid, vcpu, hard, soft));
	}

	nodeAffinity(domid: DomId): Promise<number[]> {
		return this.#on(domid, "read the node affinity of", () => this.#addon.getNodeAffinity(domid));
	}

	setNodeAffinity(domid: DomId, nodes: readonly number[]): Promise<void> {
		return this.#on(domid, "set the node affinity of", () => this.#addon.setNodeAffinity(domid, nodes));
	}

	topology(): Promise<CpuPlace[]> {
		return attemptAsync("Could not read the processors' places", () => this.#addon.topology());
	}

	async scheduling(domid: DomId): Promise<SchedulingParameters> {
		const { scheduler, first, second } = await this.#on(domid, "read the scheduling of", () =>
			this.#addon.scheduling(domid),
		);
		if (scheduler === SCHEDULERS.rtds) return { scheduler: "rtds", periodUs: first, budgetUs: second };
		return { scheduler: scheduler === SCHEDULERS.credit ? "credit" : "credit2", weight: first, cap: second };
	}

	setScheduling(domid: DomId, parameters: SchedulingParameters): Promise<void> {
		const [first, second] =
			parameters.scheduler === "rtds"
				? [parameters.periodUs, parameters.budgetUs]
				: [parameters.weight, parameters.cap];
		return this.#on(domid, `set the ${parameters.scheduler} scheduling of`, () =>
			this.#addon.setScheduling(domid, SCHEDULERS[parameters.scheduler], first, second),
		);
	}

	async pools(): Promise<CpuPool[]> {
		const pools = await attemptAsync("Could not list the cpupools", () => this.#addon.pools());
		return pools.map((pool) => ({ ...pool, scheduler: schedulerName(pool.scheduler) }));
	}

	createPool(scheduler: SchedulerName): Promise<number> {
		return attemptAsync(`Could not create a cpupool with scheduler ${scheduler}`, () =>
			this.#addon.createPool(SCHEDULERS[scheduler]),
		);
	}

	destroyPool(pool: number): Promise<void> {
		return attemptAsync(`Could not destroy cpupool ${pool}`, () => this.#addon.destroyPool(pool), { pool });
	}

	addCpu(pool: number, cpu: number): Promise<void> {
		return attemptAsync(`Could not add CPU ${cpu} to cpupool ${pool}`, () => this.#addon.addCpu(pool, cpu), {
			pool,
			cpu,
		});
	}

	removeCpu(pool: number, cpu: number): Promise<void> {
		return attemptAsync(`Could not take CPU ${cpu} from cpupool ${pool}`, () => this.#addon.removeCpu(pool, cpu), {
			pool,
			cpu,
		});
	}

	moveDomain(domid: DomId, pool: number): Promise<void> {
		return this.#on(domid, `move to cpupool ${pool}`, () => this.#addon.moveDomain(domid, pool));
	}

	#on<T>(domid: DomId, verb: string, call: () => Promise<T>): Promise<T> {
		return attemptAsync(`Could not ${verb} domain ${domid}`, call, { domid });
	}
}

function schedulerName(number: number): SchedulerName | "unknown" {
	const found = Object.entries(SCHEDULERS).find(([, value]) => value === number);
	return found ? (found[0] as SchedulerName) : "unknown";
}
