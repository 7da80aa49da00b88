import { DOM0, type DomId, type EvtchnPort, randomUuid, type Uuid } from "@bulkhead/base";
import type { Hypervisor } from "@bulkhead/hypervisor";
import { XenstoreClient } from "@bulkhead/xenstore";
import { onTestFinished } from "vitest";
import type { SimWorld } from "./sim-world.ts";

const MEMORY_KIB = 32 * 1024;

export interface OtherGuest {
	domid: DomId;
	uuid: Uuid;
	consolePort: EvtchnPort;
}

/** Another program that makes PV guests on the same simulated host, in the order in which xl goes about it. */
export class OtherToolstack {
	readonly store: XenstoreClient;
	readonly #world: SimWorld;
	readonly #hypervisor: Hypervisor;

	static async start(world: SimWorld): Promise<OtherToolstack> {
		const process = world.simulated.host.startProcess("xl");
		const store = XenstoreClient.over(world.simulated.xenstored.connectClient());
		onTestFinished(() => {
			store.close();
			process.end();
		});
		return new OtherToolstack(world, process.hypervisor, store);
	}

	private constructor(world: SimWorld, hypervisor: Hypervisor, store: XenstoreClient) {
		this.#world = world;
		this.#hypervisor = hypervisor;
		this.store = store;
	}

	/** @param type what is said of the console: whose it is */
	async create(name: string, { uuid = randomUuid(), type = "xenconsoled" } = {}): Promise<OtherGuest> {
		const { domains, builder } = this.#hypervisor;
		const domid = await domains.create({ uuid, type: "pv", maxVcpus: 1 });
		await domains.setMaxVcpus(domid, 1);
		await domains.setMaxMemory(domid, MEMORY_KIB + 1024);
		const storePort = await domains.allocUnboundEvtchn(domid, DOM0);
		const consolePort = await domains.allocUnboundEvtchn(domid, DOM0);
		await domains.setMemoryMapLimit(domid, MEMORY_KIB);
		const kernel = this.#world.images.guestKernel;
		const ports = { storePort, consolePort };
		const built = await builder.buildPv({
			domid,
			maxVcpus: 1,
			...ports,
			memoryKiB: MEMORY_KIB,
			kernel,
			commandLine: "",
		});
		const home = `/local/domain/${domid}`;
		await this.store.write(`${home}/name`, name);
		await this.store.setPermissions(home, [
			{ domid: DOM0, access: "none" },
			{ domid, access: "read" },
		]);
		await this.store.put(`${home}/control`, "", [{ domid, access: "none" }]);
		await this.store.introduce(domid, built.storeFrame, storePort);
		const console = { "ring-ref": built.consoleFrame, port: consolePort, type, tty: "" };
		await this.store.transaction((tx) =>
			Promise.all(Object.entries(console).map(([key, value]) => tx.write(`${home}/console/${key}`, value))),
		);
		await domains.unpause(domid);
		return { domid, uuid, consolePort };
	}

	async destroy({ domid }: OtherGuest): Promise<void> {
		await this.#hypervisor.domains.destroy(domid);
		await this.store.remove(`/local/domain/${domid}`);
	}
}
