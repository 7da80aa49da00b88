import { CancelledError } from "@bulkhead/base";
import type { SimHost, SimProcess } from "@bulkhead/hypervisor/sim";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { XENBUS_STATE } from "../devices/xenbus.ts";

export interface BackendParts {
	host: SimHost;
	/** Domain 0's kernel. */
	kernel: SimProcess;
	store: XenstoreClient;
	/** The backend's own directory. */
	path: string;
}

/** One device of a driver in domain 0. */
export interface KernelBackend {
	/** Serves until it is over; what goes wrong is told the way the kernel does. */
	run(): Promise<void>;
	/** It serves no longer. */
	readonly isOver: boolean;
	/** Lets go of everything. Idempotent. */
	close(): void;
}

export interface KernelDriver {
	/** "vif" */
	kind: string;
	/** A key that a whole backend directory has. */
	key: string;
	serve(parts: BackendParts): KernelBackend;
}

/** One driver of domain 0's kernel: a backend for every directory that the toolstack makes, while it is there. */
export class KernelBackends {
	readonly #driver: KernelDriver;
	readonly #parts: Omit<BackendParts, "path">;
	readonly #directory: string;
	readonly #place: RegExp;
	readonly #backends = new Map<string, KernelBackend>();
	readonly #stop = new AbortController();

	constructor(driver: KernelDriver, parts: Omit<BackendParts, "path">) {
		this.#driver = driver;
		this.#parts = parts;
		this.#directory = `/local/domain/0/backend/${driver.kind}`;
		this.#place = new RegExp(`^${this.#directory}/(\\d+)/\\d+`);
	}

	get count(): number {
		return this.#backends.size;
	}

	/** Resolves when new directories will be noticed; runs until `close`. */
	async start(): Promise<void> {
		const watch = this.#parts.store.watch(this.#directory, { signal: this.#stop.signal });
		void this.#follow(watch).catch((error: unknown) => {
			if (!(error instanceof CancelledError) && !this.#stop.signal.aborted)
				this.#parts.host.log(`d0 ${this.#driver.kind}: ${String(error)}`);
		});
		await watch.ready;
	}

	/** A domain is being destroyed: the kernel's xenbus is told by xenstored and lets go of its pages. */
	forget(domid: number): void {
		for (const path of this.#backends.keys()) if (this.#place.exec(path)?.[1] === `${domid}`) this.#close(path);
	}

	close(): void {
		this.#stop.abort(new CancelledError("The simulated domain 0 is switched off"));
		for (const path of this.#backends.keys()) this.#close(path);
	}

	async #follow(watch: AsyncIterable<string>): Promise<void> {
		for await (const changed of watch) {
			const path = this.#place.exec(changed)?.[0];
			if (path !== undefined) await this.#look(path, changed);
			else for (const known of [...this.#backends.keys()]) await this.#look(known, known);
		}
	}

	async #look(path: string, changed: string): Promise<void> {
		const known = this.#backends.get(path);
		// Of what changes below a backend only its coming and its going matter here.
		if (known && !known.isOver && changed !== path) return;
		const isThere = (await this.#parts.store.find(`${path}/${this.#driver.key}`)) !== undefined;
		if (!isThere) return this.#close(path);
		// Gone and made anew between two looks.
		if (known && !(known.isOver && (await this.#isFresh(path)))) return;
		this.#close(path);
		const backend = this.#driver.serve({ ...this.#parts, path });
		this.#backends.set(path, backend);
		void backend.run();
	}

	async #isFresh(path: string): Promise<boolean> {
		return (await this.#parts.store.find(`${path}/state`)) === XENBUS_STATE.initialising;
	}

	#close(path: string): void {
		this.#backends.get(path)?.close();
		this.#backends.delete(path);
	}
}
