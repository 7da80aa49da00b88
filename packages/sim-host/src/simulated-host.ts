import { type DomId, domId } from "@bulkhead/base";
import { type SimDomain, SimHost, type SimHostOptions, type SimImage, type SimProgram } from "@bulkhead/hypervisor/sim";
import { XenstoreClient } from "@bulkhead/xenstore";
import { XenstoreServer } from "@bulkhead/xenstore/server";
import type { Manners } from "./devices/block-front.ts";
import { BlockBackend } from "./dom0/block-backend.ts";
import { KernelBackends } from "./dom0/kernel-backends.ts";
import { NetworkBackend } from "./dom0/network-backend.ts";
import { DomainConnections } from "./domain-connections.ts";
import { hvmGuest } from "./guests/hvm-guest.ts";
import { linuxGuest } from "./guests/linux-guest.ts";
import { simKernelKind } from "./images/sim-kernel.ts";
import { EmulatedMachines } from "./stub/emulated-machines.ts";
import { linuxStub } from "./stub/linux-stub.ts";
import type { SimQemu } from "./stub/sim-qemu.ts";
import { type StubScript, WELL_BEHAVED } from "./stub/stub-script.ts";

export interface SimulatedHostOptions extends Omit<SimHostOptions, "programs"> {
	/** Where xenstored listens. */
	xenstoreSocket: string;
}

/** Counts of what the whole host holds: equal before and after means that nothing was left. */
export interface HostCounts {
	domains: number;
	held: number;
	nodes: number;
	watches: number;
	transactions: number;
	connections: number;
	blockBackends: number;
	networkBackends: number;
	deviceModels: number;
}

/**
 * A whole simulated Xen host: hypervisor, xenstored on its socket, domain 0's block and network drivers, guests and stub
 * domains.
 */
export class SimulatedHost implements AsyncDisposable {
	readonly host: SimHost;
	readonly xenstored: XenstoreServer;
	/** How stub domains that start from now on behave. */
	stubScript: StubScript = WELL_BEHAVED;
	/** How the block drivers of PV guests that start from now on behave. */
	guestManners: Manners = "polite";
	readonly #connections: DomainConnections;
	readonly #machines = new EmulatedMachines();
	readonly #qemus = new Map<DomId, SimQemu>();
	readonly #kernelStore: XenstoreClient;
	readonly #blockBackends: KernelBackends;
	readonly #networkBackends: KernelBackends;
	readonly #forgetEvents: () => void;

	/** Switches the host on. @throws BulkheadError `xenstore-server-socket` */
	static async start({ xenstoreSocket, ...options }: SimulatedHostOptions): Promise<SimulatedHost> {
		const simulated = new SimulatedHost(options);
		try {
			await simulated.xenstored.listen(xenstoreSocket);
			await simulated.#blockBackends.start();
			await simulated.#networkBackends.start();
			return simulated;
		} catch (error) {
			await simulated.close();
			throw error;
		}
	}

	private constructor(options: SimHostOptions) {
		this.host = new SimHost({ ...options, programs: [(image) => this.#program(image)] });
		this.xenstored = new XenstoreServer({ domainExists: (domid) => this.#exists(domid) });
		this.#connections = new DomainConnections(this.xenstored);
		this.#kernelStore = XenstoreClient.over(this.xenstored.connectClient());
		const kernel = this.host.startProcess("kernel");
		const parts = { host: this.host, kernel, store: this.#kernelStore };
		this.#blockBackends = new KernelBackends(
			{ kind: "vbd", key: "frontend-id", serve: (each) => new BlockBackend(each) },
			parts,
		);
		this.#networkBackends = new KernelBackends(
			{ kind: "vif", key: "hotplug-status", serve: (each) => new NetworkBackend(each) },
			parts,
		);
		this.host.links.add("xenbr0", { isBridge: true });
		this.#forgetEvents = this.host.onDomainEvent((domain) => this.#domainEvent(domain));
		// As xen-init-dom0 leaves it.
		this.xenstored.host.write("/local/domain/0/domid", "0");
		this.xenstored.host.write("/local/domain/0/name", "Domain-0");
	}

	/** The QEMU of that guest, while it runs. */
	findQemu(guest: DomId): SimQemu | undefined {
		return this.#qemus.get(guest);
	}

	get counts(): HostCounts {
		const { nodes, watches, transactions } = this.xenstored.counts;
		return {
			domains: [...this.host.domains].length,
			held: this.host.heldCount,
			nodes,
			watches,
			transactions,
			connections: this.#connections.count,
			blockBackends: this.#blockBackends.count,
			networkBackends: this.#networkBackends.count,
			deviceModels: this.#qemus.size + this.#machines.count,
		};
	}

	/** @throws Error naming what is left of guests. Nodes and watches of the daemon are its own business. */
	assertIdle(): void {
		this.host.assertIdle();
		const { connections, blockBackends, networkBackends, deviceModels } = this.counts;
		if (connections + blockBackends + networkBackends + deviceModels > 0)
			throw new Error(
				`Left: ${connections} xenstore connections, ${blockBackends} block backends, ${networkBackends} network backends, ${deviceModels} device models`,
			);
	}

	/** Switches it off: every domain goes. */
	async close(): Promise<void> {
		for (const { domid } of [...this.host.domains]) if (domid !== 0) this.host.destroy(domid);
		this.#forgetEvents();
		this.#blockBackends.close();
		this.#networkBackends.close();
		this.#kernelStore.close();
		await this.xenstored.close();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}

	#exists(domid: number): boolean {
		const domain = this.host.find(domId(domid));
		return domain !== undefined && !domain.isDying;
	}

	/** xenstored hears of every ending by VIRQ_DOM_EXC and asks Xen what it is (xenstored_domain.c: domain_cleanup). */
	#domainEvent({ domid, isDying, shutdownReason }: SimDomain): void {
		if (isDying) {
			this.#blockBackends.forget(domid);
			this.#networkBackends.forget(domid);
			this.xenstored.domainGone(domid);
		} else if (shutdownReason !== undefined) this.xenstored.domainShutdown(domid);
	}

	#program(image: SimImage): SimProgram | undefined {
		if (image.type === "hvm") return hvmGuest(this.#machines, this.#connections);
		switch (simKernelKind(image.guestOs)) {
			case "linux-guest":
				return linuxGuest(this.#connections, () => this.guestManners);
			case "linux-stub":
				return linuxStub({
					connections: this.#connections,
					machines: this.#machines,
					script: () => this.stubScript,
					onQemu: (guest, qemu) => {
						if (qemu) this.#qemus.set(guest, qemu);
						else this.#qemus.delete(guest);
					},
				});
			case undefined:
				return undefined;
		}
	}
}
