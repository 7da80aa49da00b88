import { type DomId, type EvtchnPort, type GrantRef, ProtocolError } from "@bulkhead/base";
import type { EventChannels, GrantMaps, MappedGrants } from "@bulkhead/hypervisor";
import { ConsoleRing } from "../ring/console-ring.ts";
import { RingEvents } from "../ring/ring-events.ts";

export interface ChannelRingOptions {
	evtchns: EventChannels;
	grants: GrantMaps;
	domid: DomId;
	gref: GrantRef;
	remotePort: EvtchnPort;
	/** The ring has become useless (not called for `end`). */
	onBroken: (error: ProtocolError) => void;
	/** How the next turn is put behind other work of the event loop. Default setImmediate. */
	schedule?: (turn: () => void) => void;
}

/** The host's end of a channel, while somebody is there: a client of its socket, a pty that is open. */
export interface ChannelEnd {
	/** Takes the guest's bytes, as many as it can now. What it leaves waits in the ring until `outputRoomAgain`. */
	take(bytes: Uint8Array): number;
	/** The guest's input has room again, after `hasInputRoom` was false. */
	inputRoomAgain(): void;
}

/** Taken from one guest before others get their turn: 16 full rings. */
const TURN_BYTES = 32 * 1024;
/** An end stops giving at this much. What it has given already is taken all the same: a read of a socket. */
const INPUT_PAUSE_BYTES = 16 * 1024;

/**
 * A console ring that carries bytes between a guest and at most one end on the host, and keeps nothing: while nobody is
 * there, what the guest writes is dropped, as QEMU does, so that no agent hangs for want of a host. While somebody is,
 * nothing is lost and the slower side sets the pace.
 */
export class ChannelRing {
	readonly #options: ChannelRingOptions;
	readonly #mapping: MappedGrants;
	readonly #ring: ConsoleRing;
	readonly #events: RingEvents;
	#end: ChannelEnd | undefined;
	#input: Uint8Array[] = [];
	#inputBytes = 0;
	#ended = false;
	readonly counts: { fromGuest: number; toGuest: number; dropped: number } = { fromGuest: 0, toGuest: 0, dropped: 0 };

	/** Maps and binds. On failure nothing is held. @throws HypervisorError, ProtocolError */
	static attach(options: ChannelRingOptions): ChannelRing {
		const mapping = options.grants.map(options.domid, [options.gref], { writable: true });
		try {
			return new ChannelRing(options, mapping);
		} catch (error) {
			mapping.unmap();
			throw error;
		}
	}

	private constructor(options: ChannelRingOptions, mapping: MappedGrants) {
		this.#options = options;
		this.#mapping = mapping;
		this.#ring = new ConsoleRing(mapping.buffer);
		const { evtchns, domid, remotePort, schedule = setImmediate } = options;
		this.#events = new RingEvents({ evtchns, domid, remotePort, schedule, turn: () => this.#turn() });
		// Whatever the frontend did before the port was bound raised no event here.
		this.#events.plan();
		this.#events.notify();
	}

	get ended(): boolean {
		return this.#ended;
	}

	get isTaken(): boolean {
		return this.#end !== undefined;
	}

	/** Somebody is there from now on. What was dropped before is gone. */
	join(end: ChannelEnd): void {
		if (this.#end) throw new TypeError("A channel has one end on the host at a time");
		this.#end = end;
		this.#events.plan();
	}

	/** What it has given is still delivered. */
	leave(end: ChannelEnd): void {
		if (this.#end !== end) return;
		this.#end = undefined;
		this.#events.plan();
	}

	get hasInputRoom(): boolean {
		return this.#inputBytes < INPUT_PAUSE_BYTES;
	}

	give(bytes: Uint8Array): void {
		if (this.#ended || bytes.length === 0) return;
		this.#input.push(bytes);
		this.#inputBytes += bytes.length;
		this.#events.plan();
	}

	outputRoomAgain(): void {
		this.#events.plan();
	}

	/** Lets go of the ring; bytes on their way are lost. Idempotent. */
	end(): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#events.close();
		this.#mapping.unmap();
		this.#input = [];
		this.#inputBytes = 0;
	}

	/** Answers how many bytes it has moved. */
	#turn(): number {
		if (this.#ended) return 0;
		try {
			const moved = this.#takeOutput() + this.#pumpInput();
			if (moved > 0 && !this.#ended) this.#events.notify();
			return moved;
		} catch (error) {
			if (!(error instanceof ProtocolError)) throw error;
			this.end();
			this.#options.onBroken(error);
			return 0;
		}
	}

	#takeOutput(): number {
		let taken = 0;
		for (let pending = this.#ring.pendingOutput(); pending > 0; pending = this.#ring.pendingOutput()) {
			if (taken >= TURN_BYTES) {
				this.#events.plan();
				break;
			}
			const count = this.#end ? this.#end.take(this.#ring.copyOutput(pending)) : pending;
			// An end that fails while it takes has left the channel, and the ring with it.
			if (this.#ended || count === 0) break;
			this.#ring.consumeOutput(count);
			this.counts[this.#end ? "fromGuest" : "dropped"] += count;
			taken += count;
		}
		return taken;
	}

	#pumpInput(): number {
		const hadRoom = this.hasInputRoom;
		let total = 0;
		for (let head = this.#input[0]; head; head = this.#input[0]) {
			const count = this.#ring.produceInput(head);
			if (count === 0) break;
			total += count;
			if (count === head.length) this.#input.shift();
			else this.#input[0] = head.subarray(count);
		}
		this.#inputBytes -= total;
		this.counts.toGuest += total;
		if (!hadRoom && this.hasInputRoom) this.#end?.inputRoomAgain();
		return total;
	}
}
