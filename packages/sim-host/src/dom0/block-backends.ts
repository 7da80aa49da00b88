import { CancelledError } from "@bulkhead/base";
import type { SimHost, SimProcess } from "@bulkhead/hypervisor/sim";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { XENBUS_STATE } from "../devices/xenbus.ts";
import { BlockBackend } from "./block-backend.ts";

const BACKENDS = "/local/domain/0/backend/vbd";
const PLACE = /^\/local\/domain\/0\/backend\/vbd\/(\d+)\/\d+/;

/** Domain 0's block driver: a backend for every directory that the toolstack makes, while it is there. */
export class BlockBackends {
	readonly #host: SimHost;
	readonly #kernel: SimProcess;
	readonly #store: XenstoreClient;
	readonly #backends = new Map<string, BlockBackend>();
	readonly #stop = new AbortController();

	constructor(host: SimHost, kernel: SimProcess, store: XenstoreClient) {
		this.#host = host;
		this.#kernel = kernel;
		this.#store = store;
	}

	get count(): number {
		return this.#backends.size;
	}

	/** Resolves when new directories will be noticed; runs until `close`. */
	async start(): Promise<void> {
		const watch = this.#store.watch(BACKENDS, { signal: this.#stop.signal });
		void this.#follow(watch).catch((error: unknown) => {
			if (!(error instanceof CancelledError) && !this.#stop.signal.aborted)
				this.#host.log(`d0 blkback: ${String(error)}`);
		});
		await watch.ready;
	}

	/** A domain is being destroyed: the kernel's xenbus is told by xenstored and lets go of its pages. */
	forget(domid: number): void {
		for (const path of this.#backends.keys()) if (PLACE.exec(path)?.[1] === `${domid}`) this.#close(path);
	}

	close(): void {
		this.#stop.abort(new CancelledError("The simulated domain 0 is switched off"));
		for (const path of this.#backends.keys()) this.#close(path);
	}

	async #follow(watch: AsyncIterable<string>): Promise<void> {
		for await (const changed of watch) {
			const path = PLACE.exec(changed)?.[0];
			if (path !== undefined) await this.#look(path, changed);
			else for (const known of [...this.#backends.keys()]) await this.#look(known, known);
		}
	}

	async #look(path: string, changed: string): Promise<void> {
		const known = this.#backends.get(path);
		// Of what changes below a backend only its coming and its going matter here.
		if (known && !known.isOver && changed !== path) return;
		const isThere = (await this.#store.find(`${path}/physical-device`)) !== undefined;
		if (!isThere) return this.#close(path);
		// Gone and made anew between two looks.
		if (known && !(known.isOver && (await this.#isFresh(path)))) return;
		this.#close(path);
		const backend = new BlockBackend({ host: this.#host, kernel: this.#kernel, store: this.#store, path });
		this.#backends.set(path, backend);
		void backend.run();
	}

	async #isFresh(path: string): Promise<boolean> {
		return (await this.#store.find(`${path}/state`)) === XENBUS_STATE.initialising;
	}

	#close(path: string): void {
		this.#backends.get(path)?.close();
		this.#backends.delete(path);
	}
}
