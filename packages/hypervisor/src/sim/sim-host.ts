import { DOM0, type DomId, type EvtchnPort, type Uuid, uuid } from "@bulkhead/base";
import { HypervisorError } from "../errors.ts";
import type { HostInfo, MemoryRegion, ShutdownReason } from "../ports/domains.ts";
import type { HostDevices } from "../ports/host-devices.ts";
import { pciNumber } from "../ports/pci-assignment.ts";
import { SimFaults } from "./calls/faults.ts";
import { SimFailure } from "./calls/sim-failure.ts";
import { type SimClock, VirtualClock } from "./clock.ts";
import { SimDomain } from "./domains/sim-domain.ts";
import type { SimCreate } from "./domains/sim-domains.ts";
import { SimPools } from "./domains/sim-pools.ts";
import { SimDevices } from "./files/sim-devices.ts";
import { SimImages } from "./files/sim-images.ts";
import { SimLoops } from "./files/sim-loops.ts";
import { RunningGuest } from "./guests/running-guest.ts";
import type { SimProgramTable } from "./guests/sim-program.ts";
import { tinyKernelProgram } from "./guests/tiny-kernel-program.ts";
import { unknownProgram } from "./guests/unknown-program.ts";
import type { SimScript } from "./network/sim-hotplug-scripts.ts";
import { SimLinks } from "./network/sim-links.ts";
import type { HandedOver } from "./network/sim-listeners.ts";
import { SimIommu } from "./pci/sim-iommu.ts";
import { type SimPciDevice, SimSysfs } from "./pci/sim-sysfs.ts";
import { SimProcess } from "./sim-process.ts";

export interface SimHostOptions {
	/** What the host's own delays run on. Default: time that stands still until a test moves it. */
	clock?: SimClock;
	/** Default 8 GiB. */
	memoryKiB?: number;
	/** Of domain 0, out of that. Default 1 GiB. */
	dom0KiB?: number;
	/** Default 4. */
	cpus?: number;
	/** What domains do, by their images; asked in order, before the host's own. */
	programs?: readonly SimProgramTable[];
	/** How long a destroyed domain stays dying at least: Xen scrubs its memory. Default 0. */
	destroyMs?: number;
	/** Default: what Node can do alone. */
	devices?: HostDevices;
	/** PCI devices behind an IOMMU. Default: the host has neither. */
	pciDevices?: readonly SimPciDevice[];
}

const DOM0_UUID: Uuid = uuid("00000000000000000000000000000000");
/** With FIFO event channels, as Linux has them (event_channel.h: EVTCHN_FIFO_NR_CHANNELS). */
const DOM0_MAX_PORT = (1 << 17) - 1;
const FIRST_RESERVED_DOMID = 0x7ff0;
const FIRST_FRAME = 0x10_0000;
const FOUR_GIB = 2 ** 32;
const LOW_RAM_END = 0xc000_0000;
const CONSOLE_BYTES = 16 * 1024;

/**
 * A Xen host in this process, for any number of simulated processes. What Xen would refuse is refused with Xen's errno;
 * `assertIdle` names what was not given back.
 */
export class SimHost {
	readonly clock: SimClock;
	readonly faults: SimFaults = new SimFaults();
	readonly loops: SimLoops = new SimLoops();
	readonly images: SimImages = new SimImages(this.loops);
	/** Empty at first. */
	readonly links: SimLinks = new SimLinks();
	/** Hot-plug scripts by their path. None at first. */
	readonly scripts: Map<string, SimScript> = new Map();
	/** Listening sockets on their way to another process, by its inbox. */
	readonly handedOver: HandedOver = new Map();
	readonly devices: HostDevices;
	readonly iommu: SimIommu;
	readonly sysfs: SimSysfs;
	/** Its processors and their pools. */
	readonly cpus: SimPools;
	readonly #memoryKiB: number;
	readonly #destroyMs: number;
	readonly #programs: readonly SimProgramTable[];
	readonly #domains = new Map<number, SimDomain>();
	readonly #processes = new Set<SimProcess>();
	readonly #listeners = new Set<(domain: SimDomain) => void>();
	#lastDomid = 0;
	#nextFrame = FIRST_FRAME;
	#console = "";

	constructor(options: SimHostOptions = {}) {
		this.clock = options.clock ?? new VirtualClock();
		this.devices = options.devices ?? new SimDevices();
		this.sysfs = new SimSysfs(options.pciDevices);
		this.iommu = new SimIommu(options.pciDevices?.map(({ address }) => pciNumber(address)));
		this.#memoryKiB = options.memoryKiB ?? 8 * 1024 * 1024;
		this.cpus = new SimPools(options.cpus ?? 4);
		this.#destroyMs = options.destroyMs ?? 0;
		this.#programs = [...(options.programs ?? []), tinyKernelProgram, unknownProgram];
		this.#domains.set(DOM0, this.#makeDom0(options.dom0KiB ?? 1024 * 1024));
		this.log("Xen is simulated on this host: no guest code runs");
	}

	/** A process of domain 0, or of another domain. @throws HypervisorError ESRCH */
	startProcess(name: string, domid: DomId = DOM0): SimProcess {
		const domain = this.find(domid);
		if (!domain || domain.isDying)
			throw new HypervisorError(`Could not start ${name} in domain ${domid}`, { errno: "ESRCH", fields: { domid } });
		const process: SimProcess = new SimProcess(this, domain, name, () => this.#processes.delete(process));
		this.#processes.add(process);
		return process;
	}

	/** Calls when a domain has shut down, begun to die or vanished: what VIRQ_DOM_EXC lets xenstored find out. */
	onDomainEvent(listener: (domain: SimDomain) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	/** @throws Error naming every domain, mapping, event channel, grant and loop device that is left */
	assertIdle(): void {
		const left = [
			...[...this.#domains.values()].filter(({ domid }) => domid !== DOM0).map(({ domid }) => `domain ${domid}`),
			...[...this.#processes].flatMap(({ name, holdings }) => holdings.map((held) => `${name}: ${held}`)),
			...this.loops.attached,
		];
		if (left.length > 0) throw new Error(`Not given back: ${left.join(", ")}`);
	}

	/** Mappings, event channels, grants and devices that processes hold now. */
	get heldCount(): number {
		let count = this.loops.attached.length;
		for (const { holdings } of this.#processes) count += holdings.length;
		return count;
	}

	get consoleText(): string {
		return this.#console;
	}

	/** A line on the hypervisor's console. */
	log(line: string): void {
		this.#console = `${this.#console}(XEN) ${line}\n`.slice(-CONSOLE_BYTES);
	}

	get domains(): Iterable<SimDomain> {
		return this.#domains.values();
	}

	find(domid: DomId): SimDomain | undefined {
		return this.#domains.get(domid);
	}

	get freeKiB(): number {
		let used = 0;
		for (const { totalKiB, poolKiB } of this.#domains.values()) used += totalKiB + poolKiB;
		return this.#memoryKiB - used;
	}

	/** @internal RAM with the usual hole below 4 GiB. */
	get memoryMap(): MemoryRegion[] {
		const bytes = this.#memoryKiB * 1024;
		const low = Math.min(bytes, LOW_RAM_END);
		return [
			{ start: 0, size: 0x9_fc00, type: "ram" },
			{ start: 0xf_0000, size: 0x1_0000, type: "reserved" },
			{ start: 0x10_0000, size: low - 0x10_0000, type: "ram" },
			{ start: LOW_RAM_END, size: FOUR_GIB - LOW_RAM_END, type: "reserved" },
			...(bytes > low ? [{ start: FOUR_GIB, size: bytes - low, type: "ram" as const }] : []),
		];
	}

	/** @internal */
	info(): HostInfo {
		return {
			xenVersion: "4.17.0-sim",
			capabilities: ["xen-3.0-x86_64", "hvm-3.0-x86_64"],
			totalKiB: this.#memoryKiB,
			freeKiB: this.freeKiB,
			nrCpus: this.cpus.count,
			cpuKHz: 1_000_000,
			hvm: true,
			hap: true,
			iommu: this.iommu.isPresent,
			commandLine: "",
			compiler: "none: simulated",
		};
	}

	/** @internal */
	create(request: SimCreate): SimDomain {
		const domain = new SimDomain({ ...request, domid: this.#nextDomid(), createdAtMs: this.clock.now() });
		this.#domains.set(domain.domid, domain);
		return domain;
	}

	/** @internal Frame numbers that no other domain has. */
	takeFrames(count: number): number {
		const first = this.#nextFrame;
		this.#nextFrame += count;
		return first;
	}

	/** @internal The domain's last pause has ended. */
	run(domain: SimDomain): void {
		const { image } = domain;
		if (!domain.isRunnable || !image) return;
		if (domain.guest) {
			domain.guest.resume();
			domain.ports.resume();
			return;
		}
		const program = this.#programs.map((table) => table(image)).find((found) => found !== undefined);
		if (!program) throw new SimFailure("run", "ENOSYS");
		domain.guest = new RunningGuest(domain, image, {
			clock: this.clock,
			log: (line) => this.log(line),
			startKernel: (domid) => this.startProcess("kernel", domid),
			shutDown: (ending, reason) => this.shutDown(ending, reason),
			raise: (port, of) => this.raise(port, of),
		});
		domain.guest.start(program);
	}

	/** @internal */
	shutDown(domain: SimDomain, reason: ShutdownReason): void {
		if (domain.shutdownReason !== undefined || domain.isDying) return;
		domain.shutdownReason = reason;
		this.log(`d${domain.domid} shut down: ${reason}`);
		domain.guest?.stop();
		this.#tell(domain);
	}

	/** Begins to destroy a domain, as `xl destroy` would. Nothing happens when there is none, or it is dying already. @throws SimFailure for domain 0 */
	destroy(domid: DomId): void {
		const domain = this.#domains.get(domid);
		if (!domain || domain.isDying) return;
		if (domid === DOM0) throw new SimFailure("XEN_DOMCTL_destroydomain", "EINVAL");
		domain.isDying = true;
		domain.guest?.stop();
		for (const process of [...this.#processes]) if (process.domid === domid) process.end();
		domain.ports.closeAll();
		domain.grants.clear();
		this.#tell(domain);
		if (this.#destroyMs === 0) this.reap(domain);
		else this.clock.after(this.#destroyMs, () => this.reap(domain, true));
	}

	/** @internal A dying domain vanishes with its last foreign mapping. */
	reap(domain: SimDomain, isScrubbed: boolean = this.#destroyMs === 0): void {
		if (isScrubbed) domain.isScrubbed = true;
		if (!domain.isDying || !domain.isScrubbed || domain.foreignMappings > 0) return;
		if (this.#domains.get(domain.domid) !== domain) return;
		this.#domains.delete(domain.domid);
		this.iommu.reclaim(domain.domid);
		this.#tell(domain);
	}

	/** @internal Sends an event from a domain's port to whatever is at its other end. */
	raise(port: EvtchnPort, of: SimDomain): void {
		const found = of.ports.find(port);
		if (!found) throw new SimFailure("EVTCHNOP_send", "EINVAL");
		// An unbound port has nobody to tell: Xen drops the event without a word.
		if (found.peer) this.find(found.peer.domid)?.ports.raise(found.peer);
	}

	#tell(domain: SimDomain): void {
		for (const listener of this.#listeners) listener(domain);
	}

	#nextDomid(): DomId {
		do this.#lastDomid = (this.#lastDomid + 1) % FIRST_RESERVED_DOMID;
		while (this.#domains.has(this.#lastDomid));
		return this.#lastDomid as DomId;
	}

	#makeDom0(memoryKiB: number): SimDomain {
		const dom0 = new SimDomain({
			domid: DOM0,
			uuid: DOM0_UUID,
			type: "pv",
			maxVcpus: this.cpus.count,
			maxEvtchnPort: DOM0_MAX_PORT,
			cpupool: 0,
			hasIommu: false,
			createdAtMs: this.clock.now() - 1,
		});
		dom0.pauseCount = 0;
		dom0.vcpus = this.cpus.count;
		dom0.totalKiB = memoryKiB;
		dom0.maxKiB = memoryKiB;
		return dom0;
	}
}
