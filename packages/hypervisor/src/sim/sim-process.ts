import type { DomId } from "@bulkhead/base";
import type { Hypervisor, RingHost } from "../ports/hypervisor.ts";
import { SimCalls } from "./calls/sim-calls.ts";
import { SimCpus } from "./domains/sim-cpus.ts";
import type { SimDomain } from "./domains/sim-domain.ts";
import { SimDomains } from "./domains/sim-domains.ts";
import { SimEventChannels } from "./events/sim-event-channels.ts";
import { SimImageDevices } from "./files/sim-image-devices.ts";
import { SimLoopDevices } from "./files/sim-loop-devices.ts";
import { SimGuestBuilder } from "./guests/sim-guest-builder.ts";
import { SimForeignMemory } from "./memory/sim-foreign-memory.ts";
import { SimGrantMaps } from "./memory/sim-grant-maps.ts";
import { SimGrantOffers } from "./memory/sim-grant-offers.ts";
import { SimHotplugScripts } from "./network/sim-hotplug-scripts.ts";
import { openSimInbox, SimListeners } from "./network/sim-listeners.ts";
import { SimNetworkLinks } from "./network/sim-network-links.ts";
import { SimPciAssignment } from "./pci/sim-pci-assignment.ts";
import type { SimHost } from "./sim-host.ts";

/** One process (or kernel) in one domain of a simulated host, and everything that it holds. */
export class SimProcess {
	readonly name: string;
	readonly domid: DomId;
	/** What a process with the privilege of domain 0 can do. */
	readonly hypervisor: Hypervisor;
	readonly rings: RingHost;
	/** Pages of its domain for others to map (gntalloc). */
	readonly offers: SimGrantOffers;
	readonly #holders: readonly Holder[];
	readonly #onEnd: () => void;
	readonly #end = new AbortController();

	constructor(host: SimHost, domain: SimDomain, name: string, onEnd: () => void) {
		this.name = name;
		this.domid = domain.domid;
		this.#onEnd = onEnd;
		const calls = new SimCalls({
			clock: host.clock,
			faults: host.faults,
			process: name,
			isEnded: () => this.isEnded,
			endProcess: () => this.end(),
			killDomain: (domid) => host.destroy(domid),
		});
		const parts = { host, domain, calls };
		const foreignMemory = new SimForeignMemory(parts);
		const evtchns = new SimEventChannels(parts);
		const grants = new SimGrantMaps(parts);
		this.offers = new SimGrantOffers(parts);
		const loops = new SimLoopDevices(parts);
		const listeners = new SimListeners(parts);
		// The mappings before the event channels: an unmap notification needs its port.
		this.#holders = [foreignMemory, loops, listeners, this.offers, grants, evtchns];
		this.hypervisor = {
			domains: new SimDomains(parts),
			cpus: new SimCpus(parts),
			builder: new SimGuestBuilder(parts),
			foreignMemory,
			loops,
			images: new SimImageDevices(parts),
			links: new SimNetworkLinks(parts),
			scripts: new SimHotplugScripts(parts),
			pci: new SimPciAssignment(parts),
			sysfs: host.sysfs,
			listeners,
			close: () => foreignMemory.close(),
		};
		this.rings = {
			evtchns,
			grants,
			devices: host.devices,
			openListenerInbox: (path) => openSimInbox(host.handedOver, path),
			close: () => {
				grants.close();
				evtchns.close();
			},
		};
	}

	get isEnded(): boolean {
		return this.#end.signal.aborted;
	}

	/** Aborts when it ends. */
	get ended(): AbortSignal {
		return this.#end.signal;
	}

	/** What it holds, as words. */
	get holdings(): string[] {
		return this.#holders.flatMap(({ holdings }) => holdings);
	}

	/** The process ends, however: the kernel lets go of everything for it, and what it still calls is refused. Idempotent. */
	end(): void {
		if (this.isEnded) return;
		this.#end.abort();
		for (const holder of this.#holders) holder.close();
		this.#onEnd();
	}
}

/** Something that a process holds things by. */
interface Holder {
	readonly holdings: string[];
	close(): void;
}

/** What a process's ports are made of. */
export interface ProcessParts {
	host: SimHost;
	domain: SimDomain;
	calls: SimCalls;
}
