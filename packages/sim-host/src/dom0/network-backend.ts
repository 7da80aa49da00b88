import { domId, evtchnPort, grantRef } from "@bulkhead/base";
import { awaitState, XENBUS_STATE } from "../devices/xenbus.ts";
import type { BackendParts, KernelBackend } from "./kernel-backends.ts";

/**
 * One nic as Linux's netback serves it: makes the interface, waits for somebody to set it up and for the frontend's
 * rings, and closes when the frontend does. No frame is carried.
 */
export class NetworkBackend implements KernelBackend {
	readonly #parts: BackendParts;
	readonly #stop = new AbortController();
	readonly #held: (() => void)[] = [];

	constructor(parts: BackendParts) {
		this.#parts = parts;
	}

	async run(): Promise<void> {
		try {
			await this.#serve();
		} catch (error) {
			if (this.#stop.signal.aborted) return;
			this.#parts.host.log(`d0 netback: ${String(error)}`);
		}
	}

	get isOver(): boolean {
		return this.#stop.signal.aborted;
	}

	close(): void {
		if (this.isOver) return;
		this.#stop.abort(new Error("The nic has been taken away"));
		for (const letGo of this.#held.splice(0)) letGo();
	}

	async #serve(): Promise<void> {
		const { host, store, path } = this.#parts;
		const [frontend, owner, handle] = await Promise.all([
			store.readText(`${path}/frontend`),
			store.readText(`${path}/frontend-id`),
			store.readText(`${path}/handle`),
			// netback does not begin without it.
			store.readText(`${path}/script`),
		]);
		if (this.#stop.signal.aborted) return;
		this.#held.push(host.links.add(`vif${owner}.${handle}`));
		await store.write(`${path}/state`, XENBUS_STATE.initWait);
		void this.#connect(frontend, owner).catch((error: unknown) => {
			if (!this.#stop.signal.aborted) host.log(`d0 netback ${path}: ${String(error)}`);
		});
		await this.#followFrontend(frontend);
	}

	async #connect(frontend: string, owner: string): Promise<void> {
		const { kernel, store, path } = this.#parts;
		const { signal } = this.#stop;
		await awaitState(store, frontend, [XENBUS_STATE.initialised, XENBUS_STATE.connected], signal);
		await store.waitFor(`${path}/hotplug-status`, (status) => status === "connected", { timeoutMs: 60_000, signal });
		const [tx, rx, port] = await Promise.all(
			["tx-ring-ref", "rx-ring-ref", "event-channel"].map((key) => store.readText(`${frontend}/${key}`)),
		);
		if (signal.aborted) return;
		const domid = domId(owner);
		for (const ref of [tx, rx]) {
			const ring = kernel.rings.grants.map(domid, [grantRef(ref ?? "")], { writable: true });
			this.#held.unshift(() => ring.unmap());
		}
		const channel = kernel.rings.evtchns.bindInterdomain(domid, evtchnPort(port ?? ""), () => {});
		this.#held.unshift(() => channel.close());
		await store.write(`${path}/state`, XENBUS_STATE.connected);
	}

	/** netback.c: frontend_changed. A frontend that is closed, or gone, is answered by Closed; offline, the device goes. */
	async #followFrontend(frontend: string): Promise<void> {
		const { store, path } = this.#parts;
		for await (const _ of store.watch(`${frontend}/state`, { signal: this.#stop.signal })) {
			const state = await store.find(`${frontend}/state`);
			if (state !== undefined && state !== XENBUS_STATE.closed) continue;
			if ((await store.find(`${path}/state`)) === undefined) return;
			const isOnline = (await store.find(`${path}/online`)) !== "0";
			await store.write(`${path}/state`, XENBUS_STATE.closed);
			if (isOnline) continue;
			this.close();
			return;
		}
	}
}
