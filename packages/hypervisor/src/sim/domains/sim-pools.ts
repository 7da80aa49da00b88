import { type CpuPool, SCHEDULERS, type SchedulerName, type SchedulingParameters } from "../../ports/cpus.ts";
import { SimFailure } from "../calls/sim-failure.ts";

export interface SimPool {
	id: number;
	scheduler: SchedulerName;
	cpus: Set<number>;
}

/** The processors of a simulated host, and the cpupools that they are divided into. All are one node. */
export class SimPools {
	readonly count: number;
	readonly #pools: SimPool[];

	constructor(count: number) {
		this.count = count;
		this.#pools = [{ id: 0, scheduler: "credit2", cpus: new Set(this.all) }];
	}

	get all(): number[] {
		return Array.from({ length: this.count }, (_, cpu) => cpu);
	}

	find(id: number): SimPool | undefined {
		return this.#pools.find((pool) => pool.id === id);
	}

	/** @throws SimFailure ENOENT */
	get(id: number): SimPool {
		const pool = this.find(id);
		if (!pool) throw new SimFailure("XEN_SYSCTL_CPUPOOL_OP", "ENOENT");
		return pool;
	}

	describe(domainsIn: (pool: number) => number): CpuPool[] {
		return this.#pools.map(({ id, scheduler, cpus }) => ({
			id,
			scheduler,
			domains: domainsIn(id),
			cpus: [...cpus].sort((a, b) => a - b),
		}));
	}

	create(scheduler: SchedulerName): number {
		if (!Object.hasOwn(SCHEDULERS, scheduler)) throw new TypeError(`Scheduler ${scheduler} has no number`);
		let id = 1;
		while (this.find(id)) id++;
		this.#pools.push({ id, scheduler, cpus: new Set() });
		this.#pools.sort((a, b) => a.id - b.id);
		return id;
	}

	destroy(id: number): void {
		const pool = this.get(id);
		if (pool.cpus.size > 0 || id === 0) throw new SimFailure("XEN_SYSCTL_CPUPOOL_OP", "EBUSY");
		this.#pools.splice(this.#pools.indexOf(pool), 1);
	}

	add(id: number, cpu: number): void {
		const pool = this.get(id);
		if (cpu >= this.count) throw new SimFailure("XEN_SYSCTL_CPUPOOL_OP", "EINVAL");
		if (this.#pools.some(({ cpus }) => cpus.has(cpu))) throw new SimFailure("XEN_SYSCTL_CPUPOOL_OP", "ENODEV");
		pool.cpus.add(cpu);
	}

	/** @param hasDomains whether domains run in the pool: they must keep one processor */
	remove(id: number, cpu: number, hasDomains: boolean): void {
		const pool = this.get(id);
		if (!pool.cpus.has(cpu)) throw new SimFailure("XEN_SYSCTL_CPUPOOL_OP", "EINVAL");
		if (pool.cpus.size === 1 && hasDomains) throw new SimFailure("XEN_SYSCTL_CPUPOOL_OP", "EBUSY");
		pool.cpus.delete(cpu);
	}

	/** What a domain that comes into the pool begins with (sched/credit.c, credit2.c, rt.c). */
	defaults({ scheduler }: SimPool): SchedulingParameters {
		if (scheduler === "rtds") return { scheduler, periodUs: 10_000, budgetUs: 4000 };
		return { scheduler: scheduler === "credit" ? "credit" : "credit2", weight: 256, cap: 0 };
	}
}
