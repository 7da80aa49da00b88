import { type DomId, type EvtchnPort, evtchnPort } from "@bulkhead/base";
import { SimFailure } from "../calls/sim-failure.ts";

/** One port of a domain, in event_channel.h's words. */
export interface SimPort {
	readonly domid: DomId;
	readonly port: EvtchnPort;
	/** Whom an unbound port waits for; the other end of a bound one. */
	remote: DomId;
	peer: SimPort | undefined;
	isPending: boolean;
	/** Whoever listens wants to hear nothing for now: what comes stays pending. */
	isPaused: boolean;
	isClosed: boolean;
	/** Of whoever listens in the domain; without one the port stays pending. */
	handler: (() => void) | undefined;
}

/** The event channels of one domain. */
export class SimPorts {
	readonly #domid: DomId;
	readonly #limit: number;
	/** A domain that is paused takes no event. */
	readonly #takesEvents: () => boolean;
	readonly #ports = new Map<number, SimPort>();
	#firstFree = 1;

	/** @param limit the highest port number */
	constructor(domid: DomId, limit: number, takesEvents: () => boolean) {
		this.#domid = domid;
		this.#limit = limit;
		this.#takesEvents = takesEvents;
	}

	get size(): number {
		return this.#ports.size;
	}

	find(port: number): SimPort | undefined {
		return this.#ports.get(port);
	}

	/** The lowest free port, as Xen's get_free_port. @throws SimFailure ENOSPC */
	allocate(remote: DomId, handler?: () => void): SimPort {
		let number = this.#firstFree;
		while (this.#ports.has(number)) number++;
		if (number > this.#limit) throw new SimFailure("EVTCHNOP_alloc_unbound", "ENOSPC");
		this.#firstFree = number + 1;
		const port: SimPort = {
			domid: this.#domid,
			port: evtchnPort(number),
			remote,
			peer: undefined,
			isPending: false,
			isPaused: false,
			isClosed: false,
			handler,
		};
		this.#ports.set(number, port);
		return port;
	}

	/**
	 * Binds a new port to one that another domain offers. The new end is pending at once, since what the other sent
	 * before is lost (xen/common/event_channel.c: evtchn_bind_interdomain).
	 * @throws SimFailure EINVAL, ENOSPC
	 */
	bind(remote: SimPort | undefined, onEvent: () => void): SimPort {
		if (!remote || remote.peer || remote.remote !== this.#domid)
			throw new SimFailure("EVTCHNOP_bind_interdomain", "EINVAL");
		const port = this.allocate(remote.domid, onEvent);
		port.peer = remote;
		remote.peer = port;
		this.raise(port);
		return port;
	}

	/** The other end becomes unbound again, offered to the same domain: its next process may bind it. */
	close(port: SimPort): void {
		if (port.isClosed) return;
		port.isClosed = true;
		port.handler = undefined;
		this.#ports.delete(port.port);
		this.#firstFree = Math.min(this.#firstFree, port.port);
		if (port.peer) port.peer.peer = undefined;
		port.peer = undefined;
	}

	closeAll(): void {
		for (const port of [...this.#ports.values()]) this.close(port);
	}

	/** Marks a port pending; who listens hears of it in a later turn of the event loop. Equal events merge. */
	raise(port: SimPort): void {
		if (port.isClosed) return;
		const wasPending = port.isPending;
		port.isPending = true;
		if (!wasPending) this.#schedule(port);
	}

	/** Takes a port over that exists already, and hears of what is pending there. */
	listen(port: SimPort, handler: () => void): void {
		port.handler = handler;
		if (port.isPending) this.#schedule(port);
	}

	/** Answers whether something is pending, which is then as good as heard. */
	unpause(port: SimPort): boolean {
		const { isPending } = port;
		port.isPaused = false;
		port.isPending = false;
		return isPending;
	}

	/** The domain runs again. */
	resume(): void {
		for (const port of this.#ports.values()) if (port.isPending && port.handler) this.#schedule(port);
	}

	#schedule(port: SimPort): void {
		setImmediate(() => {
			if (port.isClosed || port.isPaused || !port.isPending || !port.handler || !this.#takesEvents()) return;
			// Unmasked before the handler runs: an event meanwhile calls it again.
			port.isPending = false;
			port.handler();
		});
	}
}
