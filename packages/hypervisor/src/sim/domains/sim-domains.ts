import { type DomId, type EvtchnPort, type Uuid, uuidToBytes } from "@bulkhead/base";
import {
	type CreateDomain,
	type DomainInfo,
	type Domains,
	type HostInfo,
	HVM_PARAMS,
	type HvmParam,
	SHUTDOWN_REASONS,
	type ShutdownReason,
} from "../../ports/domains.ts";
import { checkDomid, checkInteger } from "../calls/check-arguments.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import type { ProcessParts } from "../sim-process.ts";
import type { SimDomain } from "./sim-domain.ts";

const DEFAULT_MAX_EVTCHN_PORT = 1023;
const MOST_VCPUS = 8192;
/** hvm/params.h: HVMPTM_one_missed_tick_pending is the last timer mode. */
const LARGEST_PARAM: Record<HvmParam, number> = { timerMode: 3, hpetEnabled: 1, vptAlign: 1 };

/** Domain control of a simulated host. */
export class SimDomains implements Domains {
	readonly #parts: ProcessParts;

	constructor(parts: ProcessParts) {
		this.#parts = parts;
	}

	async create(request: CreateDomain): Promise<DomId> {
		const { uuid, type, maxVcpus, maxEvtchnPort = DEFAULT_MAX_EVTCHN_PORT } = request;
		checkInteger("maxVcpus", maxVcpus, 1, MOST_VCPUS);
		checkInteger("maxEvtchnPort", maxEvtchnPort, 0, 0x7fff_ffff);
		uuidToBytes(uuid);
		const { calls, host } = this.#parts;
		const attempt = `Could not create a domain of type ${type}`;
		return calls.run({ name: "domains.create", attempt, fields: { uuid } }, () => {
			return host.create({ uuid, type, maxVcpus, maxEvtchnPort }).domid;
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

	setDefaultTsc(domid: DomId): Promise<void> {
		return this.#on("setDefaultTsc", domid, "set the TSC mode of", () => {});
	}

	applyDefaultCpuPolicy(domid: DomId): Promise<void> {
		return this.#on("applyDefaultCpuPolicy", domid, "apply the CPU policy to", () => {});
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
	type: "pv" | "hvm";
	maxVcpus: number;
	maxEvtchnPort: number;
}
