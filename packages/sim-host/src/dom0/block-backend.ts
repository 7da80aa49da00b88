import { domId, evtchnPort, grantRef } from "@bulkhead/base";
import { awaitState, XENBUS_STATE } from "../devices/xenbus.ts";
import type { BackendParts, KernelBackend } from "./kernel-backends.ts";

const SCRIPT_MS = 60_000;

/**
 * One disk as Linux's blkback serves it: opens the block device, waits for the frontend's ring, maps and binds it. It
 * goes, and lets go of everything, when the frontend closes, its directory is removed or the frontend's domain dies. No request is carried:
 * no simulated guest reads its disk.
 */
export class BlockBackend implements KernelBackend {
	readonly #parts: BackendParts;
	readonly #stop = new AbortController();
	readonly #held: (() => void)[] = [];

	constructor(parts: BackendParts) {
		this.#parts = parts;
	}

	/** What goes wrong is told by the backend's `error` node, as the kernel does. */
	async run(): Promise<void> {
		const { store, path } = this.#parts;
		try {
			await this.#serve();
		} catch (error) {
			if (this.#stop.signal.aborted) return;
			await store.write(`${path}/error`, String(error)).catch(() => {});
		}
	}

	/** It serves no longer. */
	get isOver(): boolean {
		return this.#stop.signal.aborted;
	}

	/** Idempotent. */
	close(): void {
		if (this.#stop.signal.aborted) return;
		this.#stop.abort(new Error("The disk has been taken away"));
		for (const letGo of this.#held.splice(0)) letGo();
	}

	/** As blkback's frontend_changed: lets go when the frontend has closed or is gone. */
	async #followFrontend(frontend: string): Promise<void> {
		const { store, path } = this.#parts;
		for await (const _ of store.watch(`${frontend}/state`, { signal: this.#stop.signal })) {
			const state = await store.find(`${frontend}/state`);
			if (state !== undefined && state !== XENBUS_STATE.closed) continue;
			this.close();
			// Never a directory that has been taken away meanwhile (xenbus_client.c: __xenbus_switch_state).
			await store.transaction(async (tx) => {
				const own = await tx.find(`${path}/state`);
				if (own === undefined || (state === undefined && own !== XENBUS_STATE.closing)) return;
				await tx.write(`${path}/state`, XENBUS_STATE.closed);
			});
			return;
		}
	}

	/** A hot-plug script names the block device once the backend waits for one. */
	async #awaitDevice(): Promise<string> {
		const { store, path } = this.#parts;
		const device = `${path}/physical-device`;
		const known = await store.find(device);
		if (known !== undefined) return known;
		await store.write(`${path}/state`, XENBUS_STATE.initWait);
		await store.waitFor(device, (found) => found !== undefined, { timeoutMs: SCRIPT_MS, signal: this.#stop.signal });
		return store.readText(device);
	}

	async #serve(): Promise<void> {
		const { host, kernel, store, path } = this.#parts;
		const [frontend, owner] = await Promise.all([
			store.readText(`${path}/frontend`),
			store.readText(`${path}/frontend-id`),
		]);
		void this.#followFrontend(frontend).catch(() => {});
		const device = await this.#awaitDevice();
		if (this.#stop.signal.aborted) return;
		const disk = host.loops.open(device);
		this.#held.push(() => disk.close());
		await store.write(`${path}/state`, XENBUS_STATE.initWait);
		await awaitState(store, frontend, [XENBUS_STATE.initialised, XENBUS_STATE.connected], this.#stop.signal);
		const [ref, port] = await Promise.all([
			store.readText(`${frontend}/ring-ref`),
			store.readText(`${frontend}/event-channel`),
		]);
		if (this.#stop.signal.aborted) return;
		const domid = domId(owner);
		const ring = kernel.rings.grants.map(domid, [grantRef(ref)], { writable: true });
		this.#held.unshift(() => ring.unmap());
		const channel = kernel.rings.evtchns.bindInterdomain(domid, evtchnPort(port), () => {});
		this.#held.unshift(() => channel.close());
		await store.write(`${path}/state`, XENBUS_STATE.connected);
	}
}
