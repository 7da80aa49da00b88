import { domId } from "@bulkhead/base";
import type { SimMachine } from "@bulkhead/hypervisor/sim";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { annoy } from "./hostile-front.ts";
import { awaitState, XENBUS_STATE } from "./xenbus.ts";

/** How a frontend takes being asked to close: does it, does not hear it, or does what it can to be in the way. */
export type Manners = "polite" | "deaf" | "hostile";

export interface BlockFrontParts {
	machine: SimMachine;
	store: XenstoreClient;
	manners?: Manners;
	/** A disk that came after the start is connected. */
	onDisk?: (device: string) => void;
}

interface Served {
	stop: AbortController;
	/** It has closed; its nodes are still there. */
	isOver: boolean;
}

/** The block driver of a simulated kernel, as Linux's blkfront: connects the disks it has been given, and later ones. */
export class BlockFront {
	readonly #parts: BlockFrontParts;
	readonly #root: string;
	readonly #served = new Map<string, Served>();

	constructor(parts: BlockFrontParts) {
		this.#parts = parts;
		this.#root = `/local/domain/${parts.machine.domid}/device/vbd`;
	}

	/** Resolves when the disks that are there are connected: their virtual device numbers. Later ones are followed. */
	async start(): Promise<string[]> {
		const { machine, store } = this.#parts;
		const devices = (await store.findList(this.#root)) ?? [];
		await Promise.all(devices.map((device) => this.#serve(device)));
		this.#inBackground("new disks", this.#follow());
		if (this.#parts.manners === "hostile" && devices.length > 0)
			this.#inBackground("mischief", annoy({ machine, store, root: this.#root, devices }));
		return devices;
	}

	async #follow(): Promise<void> {
		const { machine, store, onDisk } = this.#parts;
		for await (const _ of store.watch(this.#root, { signal: machine.signal })) {
			const listed = new Set((await store.findList(this.#root)) ?? []);
			for (const [device, { stop }] of this.#served) {
				if (listed.has(device)) continue;
				stop.abort(new Error("The disk is gone"));
				this.#served.delete(device);
			}
			for (const device of listed) {
				if (!(await this.#isNew(device))) continue;
				this.#inBackground(
					`disk ${device}`,
					this.#serve(device).then(() => onDisk?.(device)),
				);
			}
		}
	}

	/** One that has closed and was made anew under the same number looks fresh. */
	async #isNew(device: string): Promise<boolean> {
		const served = this.#served.get(device);
		if (served && !served.isOver) return false;
		return (await this.#parts.store.find(`${this.#root}/${device}/state`)) === XENBUS_STATE.initialising;
	}

	/** Ring and port are offered once the backend waits for them (io/blkif.h). Resolves when the disk is connected. */
	async #serve(device: string): Promise<void> {
		const { machine, store, manners } = this.#parts;
		const served: Served = { stop: new AbortController(), isOver: false };
		this.#served.set(device, served);
		const signal = AbortSignal.any([machine.signal, served.stop.signal]);
		const node = `${this.#root}/${device}`;
		const backend = await store.readText(`${node}/backend`);
		await awaitState(store, backend, [XENBUS_STATE.initWait, XENBUS_STATE.connected], signal);
		const server = domId(await store.readText(`${node}/backend-id`));
		const { ref } = machine.grantPage(server);
		const channel = machine.process.rings.evtchns.bindUnbound(server, () => {});
		await Promise.all([
			store.write(`${node}/ring-ref`, ref),
			store.write(`${node}/event-channel`, channel.port),
			store.write(`${node}/protocol`, "x86_64-abi"),
			store.write(`${node}/state`, XENBUS_STATE.initialised),
		]);
		await awaitState(store, backend, [XENBUS_STATE.connected], signal);
		await store.write(`${node}/state`, XENBUS_STATE.connected);
		if (manners !== undefined && manners !== "polite") return;
		this.#inBackground(`disk ${device}`, this.#closeWhenAsked(node, backend, served, signal));
	}

	async #closeWhenAsked(node: string, backend: string, served: Served, signal: AbortSignal): Promise<void> {
		const { store, machine } = this.#parts;
		for await (const _ of store.watch(`${backend}/state`, { signal })) {
			const state = await store.find(`${backend}/state`);
			if (state !== XENBUS_STATE.closing && state !== XENBUS_STATE.closed) continue;
			await machine.untilRunnable();
			served.isOver = true;
			await store.write(`${node}/state`, XENBUS_STATE.closed);
			return;
		}
	}

	#inBackground(what: string, work: Promise<unknown>): void {
		const { machine } = this.#parts;
		work.catch((error: unknown) => {
			if (!machine.signal.aborted && !(error instanceof Error && "code" in error && error.code === "cancelled"))
				machine.log(`${what}: ${String(error)}`);
		});
	}
}
