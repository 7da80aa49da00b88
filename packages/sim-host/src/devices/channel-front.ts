import { CancelledError, DOM0 } from "@bulkhead/base";
import type { SimMachine } from "@bulkhead/hypervisor/sim";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { GuestConsole } from "./guest-console.ts";
import { XENBUS_STATE } from "./xenbus.ts";

/** Above it the guest's agent reads no more until what it answered is taken. */
const MOST_ANSWER_BYTES = 4096;

/** A guest's channels, as Linux's hvc_xen connects them, each with an agent that answers every byte with the same byte. */
export class ChannelFront {
	readonly #machine: SimMachine;
	readonly #store: XenstoreClient;
	readonly #root: string;
	readonly #connected = new Map<string, { stop: AbortController; close: () => void }>();

	constructor(machine: SimMachine, store: XenstoreClient) {
		this.#machine = machine;
		this.#store = store;
		this.#root = `/local/domain/${machine.domid}/device/console`;
	}

	/** Until the domain ends. */
	async follow(): Promise<void> {
		for await (const _ of this.#store.watch(this.#root, { signal: this.#machine.signal })) {
			const devids = (await this.#store.findList(this.#root)) ?? [];
			for (const devid of this.#connected.keys()) if (!devids.includes(devid)) this.#close(devid);
			for (const devid of devids) {
				if (this.#connected.has(devid) || (await this.#stateOf(devid)) !== XENBUS_STATE.initialising) continue;
				this.#connect(devid);
			}
		}
	}

	#stateOf(devid: string): Promise<string | undefined> {
		return this.#store.find(`${this.#root}/${devid}/state`);
	}

	#connect(devid: string): void {
		const { page, ref } = this.#machine.grantPage(DOM0);
		const evtchn = this.#machine.process.rings.evtchns.bindUnbound(DOM0, () => console.handleEvent());
		const console: GuestConsole = new GuestConsole({
			page,
			notify: () => evtchn.notify(),
			onInput: (bytes) => console.write(bytes),
			readsNow: () => console.backlog < MOST_ANSWER_BYTES,
		});
		const stop = new AbortController();
		this.#connected.set(devid, { stop, close: () => evtchn.close() });
		const signal = AbortSignal.any([this.#machine.signal, stop.signal]);
		this.#live(`${this.#root}/${devid}`, { ref, port: evtchn.port }, signal)
			.then(() => this.#close(devid))
			.catch((error: unknown) => {
				if (!(error instanceof CancelledError) && !this.#machine.signal.aborted && !stop.signal.aborted)
					this.#machine.log(`channel ${devid}: ${String(error)}`);
			});
	}

	/** hvc_xen.c: xencons_probe, xencons_backend_changed. */
	async #live(node: string, { ref, port }: { ref: number; port: number }, signal: AbortSignal): Promise<void> {
		const backend = await this.#store.readText(`${node}/backend`);
		await Promise.all([
			this.#store.write(`${node}/ring-ref`, ref),
			this.#store.write(`${node}/port`, port),
			this.#store.write(`${node}/state`, XENBUS_STATE.initialised),
		]);
		for await (const _ of this.#store.watch(`${backend}/state`, { signal })) {
			const state = await this.#store.find(`${backend}/state`);
			if (state === XENBUS_STATE.connected) await this.#store.write(`${node}/state`, XENBUS_STATE.connected);
			if (state === XENBUS_STATE.closing || state === XENBUS_STATE.closed)
				await this.#store.write(`${node}/state`, XENBUS_STATE.closed);
			if (state === undefined || state === XENBUS_STATE.closing || state === XENBUS_STATE.closed) return;
		}
	}

	#close(devid: string): void {
		const connected = this.#connected.get(devid);
		this.#connected.delete(devid);
		connected?.stop.abort();
		connected?.close();
	}
}
