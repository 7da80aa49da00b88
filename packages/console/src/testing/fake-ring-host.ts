import type { DomId, EvtchnPort, GrantRef } from "@bulkhead/base";
import {
	type BoundEvtchn,
	type EventChannels,
	type GrantMaps,
	HypervisorError,
	type ListenerInbox,
	type ListenerPlace,
	type MappedGrants,
	type RingHost,
} from "@bulkhead/hypervisor";
import { openSimInbox } from "@bulkhead/hypervisor/sim";
import { FakeDevices } from "./fake-devices.ts";

interface OfferedPort {
	onNotify: () => void;
	bound: FakeEvtchn | undefined;
}

/** A page that a fake frontend shares. Ask for `buffer` anew each time: unmapping moves the memory to another one. */
export interface SharedPage {
	readonly buffer: ArrayBuffer;
}

/**
 * Grants and event channels of one process, in memory. Strict: a page or port must have been offered, may be held
 * once, events are delivered one turn later, an unmapped buffer is detached, and `assertIdle` names what is still held.
 */
export class FakeRingHost implements RingHost {
	readonly devices: FakeDevices = new FakeDevices();
	readonly evtchns: EventChannels;
	readonly grants: GrantMaps;
	readonly #ports = new Map<string, OfferedPort>();
	readonly #pages = new Map<string, { buffer: ArrayBuffer; mapped: boolean }>();
	#nextPort = 100;
	#generation = 0;

	constructor() {
		this.evtchns = {
			bindInterdomain: (domid, remotePort, onEvent) => this.#bind(domid, remotePort, onEvent),
			bindUnbound: () => {
				throw new HypervisorError("Fake ring host offers no ports of its own", { errno: "ENOSYS" });
			},
			close: () => {},
		};
		this.grants = { map: (domid, refs) => this.#map(domid, refs), close: () => {} };
	}

	close(): void {}

	/** Of listening sockets, by inbox and token. */
	readonly handedOver: Map<string, ListenerPlace> = new Map();

	openListenerInbox(path: string): ListenerInbox {
		return openSimInbox(this.handedOver, path);
	}

	/** What a frontend does first: grants a page … */
	offerPage(domid: DomId, gref: GrantRef, buffer: ArrayBuffer = new ArrayBuffer(4096)): SharedPage {
		const page = { buffer, mapped: false };
		this.#pages.set(`${domid}/${gref}`, page);
		return page;
	}

	/** … and allocates a port; the returned function raises an event at whoever has bound it. */
	offerPort(domid: DomId, port: EvtchnPort, onNotify: () => void): () => void {
		const offered: OfferedPort = { onNotify, bound: undefined };
		this.#ports.set(`${domid}/${port}`, offered);
		return () => offered.bound?.raise();
	}

	/** Whether whoever has bound the port hears its events: not before, nor while it is paused. */
	hears(domid: DomId, port: EvtchnPort): boolean {
		return this.#ports.get(`${domid}/${port}`)?.bound?.isPaused === false;
	}

	/** The process dies: everything it held is released by the kernel, its handlers are never called again. */
	crash(): void {
		this.#generation++;
		for (const port of this.#ports.values()) port.bound = undefined;
		for (const page of this.#pages.values()) page.mapped = false;
	}

	/** @throws Error naming what is mapped or bound */
	assertIdle(): void {
		const held = [
			...[...this.#pages].filter(([, page]) => page.mapped).map(([name]) => `page ${name}`),
			...[...this.#ports].filter(([, port]) => port.bound).map(([name]) => `port ${name}`),
		];
		if (held.length > 0) throw new Error(`Still held: ${held.join(", ")}`);
		this.devices.assertIdle();
	}

	#bind(domid: DomId, remotePort: EvtchnPort, onEvent: () => void): BoundEvtchn {
		const offered = this.#ports.get(`${domid}/${remotePort}`);
		if (!offered) throw new HypervisorError("Cannot bind the event channel", { errno: "ENOENT" });
		if (offered.bound) throw new HypervisorError("Cannot bind the event channel", { errno: "EINVAL" });
		const generation = this.#generation;
		const bound = new FakeEvtchn(this.#nextPort++ as EvtchnPort, {
			alive: () => generation === this.#generation && offered.bound === bound,
			onEvent,
			onNotify: () => offered.onNotify(),
			onClose: () => {
				if (offered.bound === bound) offered.bound = undefined;
			},
		});
		offered.bound = bound;
		return bound;
	}

	#map(domid: DomId, refs: readonly GrantRef[]): MappedGrants {
		const page = this.#pages.get(`${domid}/${refs[0]}`);
		if (!page || refs.length !== 1) throw new HypervisorError("Cannot map the grant", { errno: "EINVAL" });
		if (page.mapped) throw new HypervisorError("Fake page is mapped twice", { errno: "EBUSY" });
		page.mapped = true;
		const generation = this.#generation;
		let mapped = true;
		return {
			buffer: page.buffer,
			unmap: () => {
				if (!mapped || generation !== this.#generation) return;
				mapped = false;
				page.mapped = false;
				page.buffer = structuredClone(page.buffer, { transfer: [page.buffer] });
			},
		};
	}
}

interface EvtchnHooks {
	alive: () => boolean;
	onEvent: () => void;
	onNotify: () => void;
	onClose: () => void;
}

class FakeEvtchn implements BoundEvtchn {
	readonly port: EvtchnPort;
	readonly #hooks: EvtchnHooks;
	#pending = false;
	isPaused = false;
	#isHeld = false;

	constructor(port: EvtchnPort, hooks: EvtchnHooks) {
		this.port = port;
		this.#hooks = hooks;
	}

	notify(): void {
		if (!this.#hooks.alive()) throw new HypervisorError("Event channel is closed", { errno: "EINVAL" });
		queueMicrotask(this.#hooks.onNotify);
	}

	pause(): void {
		this.isPaused = true;
	}

	resume(): boolean {
		const isHeld = this.#isHeld;
		this.isPaused = false;
		this.#isHeld = false;
		return isHeld;
	}

	close(): void {
		this.#hooks.onClose();
	}

	/** An event that is pending already is one event. */
	raise(): void {
		if (this.#pending || this.#isHeld) return;
		this.#pending = true;
		setImmediate(() => {
			this.#pending = false;
			if (this.isPaused) this.#isHeld = true;
			else if (this.#hooks.alive()) this.#hooks.onEvent();
		});
	}
}
