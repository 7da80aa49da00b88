import type { DomId } from "@bulkhead/base";
import type {
	Affinity,
	CpuPlace,
	CpuPool,
	Cpus,
	SchedulerName,
	SchedulingParameters,
	VcpuInfo,
} from "../../ports/cpus.ts";
import { checkDomid, checkInteger, checkList } from "../calls/check-arguments.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import type { SimHost } from "../sim-host.ts";
import type { ProcessParts } from "../sim-process.ts";
import type { SimDomain } from "./sim-domain.ts";

const MOST_VCPUS = 512;
const MOST_CPUS = 4096;
const NODES = 1;

/** Processors and scheduling of a simulated host: bookkeeping, for nothing computes. */
export class SimCpus implements Cpus {
	readonly #parts: ProcessParts;

	constructor(parts: ProcessParts) {
		this.#parts = parts;
	}

	vcpu(domid: DomId, vcpu: number): Promise<VcpuInfo> {
		return this.#onVcpu("vcpu", domid, vcpu, `look at vcpu ${vcpu} of`, (domain) => {
			const { blocked, running, cpuTimeNs } = domain.info(this.#host.clock.now());
			const cpu = [...this.#affinityOf(domain, vcpu).hard][0] ?? 0;
			return { vcpu, online: true, blocked, running, cpuTimeNs: Math.round(cpuTimeNs / domain.vcpus), cpu };
		});
	}

	affinity(domid: DomId, vcpu: number): Promise<Affinity> {
		return this.#onVcpu("affinity", domid, vcpu, `read the affinity of vcpu ${vcpu} of`, (domain) =>
			this.#affinityOf(domain, vcpu),
		);
	}

	async setAffinity(domid: DomId, vcpu: number, { hard, soft }: Partial<Affinity>): Promise<void> {
		for (const [name, cpus] of Object.entries({ hard, soft }))
			if (cpus !== undefined) checkList(name, cpus, MOST_CPUS - 1, MOST_CPUS);
		await this.#onVcpu("setAffinity", domid, vcpu, `pin vcpu ${vcpu} of`, (domain) => {
			const { count } = this.#host.cpus;
			if ([...(hard ?? []), ...(soft ?? [])].some((cpu) => cpu >= count))
				throw new SimFailure("xc_vcpu_setaffinity", "EINVAL");
			const pool = this.#host.cpus.get(domain.cpupool);
			if (hard && !hard.some((cpu) => pool.cpus.has(cpu))) throw new SimFailure("XEN_DOMCTL_setvcpuaffinity", "EINVAL");
			const now = this.#affinityOf(domain, vcpu);
			domain.affinity.set(vcpu, { hard: ascending(hard ?? now.hard), soft: ascending(soft ?? now.soft) });
		});
	}

	nodeAffinity(domid: DomId): Promise<number[]> {
		return this.#on("nodeAffinity", domid, "read the node affinity of", (domain) => [...domain.nodeAffinity]);
	}

	async setNodeAffinity(domid: DomId, nodes: readonly number[]): Promise<void> {
		checkList("nodes", nodes, 255, 256);
		await this.#on("setNodeAffinity", domid, "set the node affinity of", (domain) => {
			if (nodes.some((node) => node >= NODES)) throw new SimFailure("xc_domain_node_setaffinity", "EINVAL");
			domain.nodeAffinity = ascending(nodes);
		});
	}

	topology(): Promise<CpuPlace[]> {
		return this.#run("topology", "Could not read the processors' places", () =>
			this.#host.cpus.all.map((cpu) => ({ cpu, core: cpu, socket: 0, node: 0 })),
		);
	}

	scheduling(domid: DomId): Promise<SchedulingParameters> {
		return this.#on("scheduling", domid, "read the scheduling of", ({ scheduling }) => scheduling);
	}

	async setScheduling(domid: DomId, parameters: SchedulingParameters): Promise<void> {
		const { scheduler } = parameters;
		if (scheduler !== "rtds") {
			checkInteger("weight", parameters.weight, 1, 0xfffe);
			checkInteger("cap", parameters.cap, 0, 0xfffe);
		}
		await this.#on("setScheduling", domid, `set the ${scheduler} scheduling of`, (domain) => {
			if (this.#host.cpus.get(domain.cpupool).scheduler !== scheduler)
				throw new SimFailure("XEN_DOMCTL_scheduler_op", "EINVAL");
			// sched/credit.c, credit2.c: the cap is a part of what the domain's vcpus could use.
			if (scheduler !== "rtds" && parameters.cap > 100 * domain.vcpus)
				throw new SimFailure("XEN_DOMCTL_scheduler_op", "EINVAL");
			domain.scheduling = parameters;
		});
	}

	pools(): Promise<CpuPool[]> {
		return this.#run("pools", "Could not list the cpupools", () =>
			this.#host.cpus.describe((id) => this.#domainsIn(id)),
		);
	}

	createPool(scheduler: SchedulerName): Promise<number> {
		return this.#run("createPool", `Could not create a cpupool with scheduler ${scheduler}`, () =>
			this.#host.cpus.create(scheduler),
		);
	}

	async destroyPool(pool: number): Promise<void> {
		checkInteger("pool", pool, 0, 0x7fff_ffff);
		await this.#run("destroyPool", `Could not destroy cpupool ${pool}`, () => {
			if (this.#domainsIn(pool) > 0) throw new SimFailure("XEN_SYSCTL_CPUPOOL_OP", "EBUSY");
			this.#host.cpus.destroy(pool);
		});
	}

	async addCpu(pool: number, cpu: number): Promise<void> {
		checkInteger("cpu", cpu, 0, MOST_CPUS - 1);
		await this.#run("addCpu", `Could not add CPU ${cpu} to cpupool ${pool}`, () => this.#host.cpus.add(pool, cpu));
	}

	async removeCpu(pool: number, cpu: number): Promise<void> {
		checkInteger("cpu", cpu, 0, MOST_CPUS - 1);
		await this.#run("removeCpu", `Could not take CPU ${cpu} from cpupool ${pool}`, () =>
			this.#host.cpus.remove(pool, cpu, this.#domainsIn(pool) > 0),
		);
	}

	moveDomain(domid: DomId, pool: number): Promise<void> {
		return this.#on("moveDomain", domid, `move to cpupool ${pool}`, (domain) => {
			const target = this.#host.cpus.get(pool);
			if (target.cpus.size === 0) throw new SimFailure("XEN_SYSCTL_CPUPOOL_OP", "EINVAL");
			if (domain.cpupool === pool) return;
			domain.cpupool = pool;
			domain.scheduling = this.#host.cpus.defaults(target);
			domain.affinity.clear();
		});
	}

	get #host(): SimHost {
		return this.#parts.host;
	}

	#affinityOf(domain: SimDomain, vcpu: number): Affinity {
		return domain.affinity.get(vcpu) ?? { hard: this.#host.cpus.all, soft: this.#host.cpus.all };
	}

	#domainsIn(pool: number): number {
		return [...this.#host.domains].filter(({ cpupool }) => cpupool === pool).length;
	}

	async #onVcpu<T>(name: string, domid: DomId, vcpu: number, verb: string, act: (domain: SimDomain) => T): Promise<T> {
		checkInteger("vcpu", vcpu, 0, MOST_VCPUS - 1);
		return this.#on(name, domid, verb, (domain) => {
			if (vcpu >= domain.vcpus) throw new SimFailure(`domctl ${name}`, name === "vcpu" ? "ESRCH" : "EINVAL");
			return act(domain);
		});
	}

	async #on<T>(name: string, domid: DomId, verb: string, act: (domain: SimDomain) => T): Promise<T> {
		checkDomid(domid);
		const facts = { name: `cpus.${name}`, attempt: `Could not ${verb} domain ${domid}`, fields: { domid }, domid };
		return this.#parts.calls.run(facts, () => {
			const domain = this.#host.find(domid);
			if (!domain || domain.isDying) throw new SimFailure(`domctl ${name}`, "ESRCH");
			return act(domain);
		});
	}

	#run<T>(name: string, attempt: string, act: () => T): Promise<T> {
		return this.#parts.calls.run({ name: `cpus.${name}`, attempt }, act);
	}
}

const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
