import { type DomId, domId, type EvtchnPort, evtchnPort, type Uuid, uuidFromBytes, uuidToBytes } from "@bulkhead/base";
import { HypervisorError } from "../errors.ts";
import {
	type CreateDomain,
	type DomainInfo,
	type Domains,
	type HostInfo,
	HVM_PARAMS,
	type HvmParam,
	SHUTDOWN_REASONS,
	type ShutdownReason,
} from "../ports/domains.ts";
import { attemptAsync } from "../refusal.ts";
import type { ControlAddon, RawDomain, RawHost } from "./addon-shapes.ts";

const PAGE_KIB = 4;
const DEFAULT_MAX_EVTCHN_PORT = 1023;

/** Domain control by libxenctrl. */
export class NativeDomains implements Domains {
	readonly #addon: ControlAddon;

	constructor(addon: ControlAddon) {
		this.#addon = addon;
	}

	async create(request: CreateDomain): Promise<DomId> {
		const { uuid, type, maxVcpus, maxEvtchnPort = DEFAULT_MAX_EVTCHN_PORT, ssidref = 0 } = request;
		const bytes = uuidToBytes(uuid);
		return domId(
			await attemptAsync(
				`Could not create a domain of type ${type}`,
				() => this.#addon.create({ uuid: bytes, hvm: type === "hvm", maxVcpus, maxEvtchnPort, ssidref }),
				{ uuid },
			),
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

	setDefaultTsc(domid: DomId): Promise<void> {
		return this.#on(domid, "set the TSC mode of", () => this.#addon.setDefaultTsc(domid));
	}

	applyDefaultCpuPolicy(domid: DomId): Promise<void> {
		return this.#on(domid, "apply the CPU policy to", () => this.#addon.applyDefaultCpuPolicy(domid));
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
		commandLine: raw.commandLine.trim(),
		compiler: raw.compiler,
	};
}
