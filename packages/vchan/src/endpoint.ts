import { Duplex } from "node:stream";
import { CancelledError, InvalidInputError, Looks, Patience } from "@bulkhead/base";
import type { BoundEvtchn } from "@bulkhead/hypervisor";
import { VchanClosedError } from "./errors.ts";
import { EventRate } from "./event-rate.ts";
import { LARGEST_RING_BYTES, NOTIFY } from "./layout.ts";
import type { Incoming, RingProducer } from "./ring.ts";

/** Offsets, in the control page, of the notify bytes as one side uses them. */
export interface WishBytes {
	/** What the peer wants to hear of: fetched and cleared by us. */
	peers: number;
	/** What we want to hear of: set by us, fetched and cleared by the peer. */
	own: number;
}

export interface EndpointParts {
	/** The control page. */
	page: Uint8Array;
	wishes: WishBytes;
	incoming: Incoming;
	outgoing: RingProducer;
	evtchn: Pick<BoundEvtchn, "notify">;
	isPeerThere: () => boolean;
	/** Once, when it is not, and all that it wrote was taken from the ring. */
	onPeerGone?: () => void;
	/** Tells the peer that we go, while that is possible; called once, before `release`. */
	depart: () => void;
	/** Lets go of everything; called once. */
	release: () => void;
}

export interface VchanStats {
	events: number;
	bytesRead: number;
	bytesWritten: number;
}

interface PendingWrite {
	bytes: Uint8Array;
	written: number;
	done: (error?: Error | null) => void;
}

/** Where bytes go in place of the stream's buffer. */
interface Sink {
	place: Buffer;
	take: (bytes: Buffer) => void;
}

/** After so many bytes of one turn of the event loop others have theirs; a ring that is larger is emptied once. */
const BYTES_PER_TURN = 64 * 1024;
/** While bytes stream in: looks for more, one right after the other, before others have their turn. Some microseconds. */
const LOOKS_PER_TURN = 2000;

/**
 * One end of a vchan as a stream, back-pressure included. When the peer closes, what it wrote is still read, then the
 * stream ends; a write that waits for space then fails with VchanClosedError. A peer that breaks the protocol gets the
 * stream destroyed with a ProtocolError. Destroying it releases everything, at once.
 *
 * A domain that is destroyed sends no event: its end has to be learnt elsewhere (@releaseDomain), and then `destroy`.
 */
export class VchanEndpoint extends Duplex {
	readonly stats: VchanStats = { events: 0, bytesRead: 0, bytesWritten: 0 };
	readonly #parts: EndpointParts;
	#pendingWrite: PendingWrite | undefined;
	#wantsData = false;
	#sink: Sink | undefined;
	#isPulling = false;
	/** What a peer that is gone had left in the ring, copied when that was noticed: what is written later is not its own. */
	#legacy: Buffer | undefined;
	#hasEnded = false;
	#turn: NodeJS.Immediate | undefined;
	#budgetBytes = BYTES_PER_TURN;
	readonly #looks = new Looks(LOOKS_PER_TURN);
	readonly #eventRate = new EventRate();
	readonly #patience = new Patience();

	constructor(parts: EndpointParts) {
		super({ allowHalfOpen: false });
		this.#parts = parts;
		// A write that waits for a peer that is gone ends with the reading side.
		this.once("end", () => this.#failWrite());
	}

	/** False from the moment that the peer was seen to be gone. */
	get isPeerOpen(): boolean {
		return this.#legacy === undefined;
	}

	/** The event channel's handler. Events of one turn of the event loop count as one. */
	handleEvent(): void {
		if (this.destroyed) return;
		this.stats.events++;
		this.#takeTurn();
	}

	/**
	 * In place of "data": bytes are copied to one place, again and again, and handed on as they come. They are good until
	 * `take` returns; on large rings that spares most of the time. `pause`, `resume` and the other events are as ever.
	 * @throws InvalidInputError when the stream is being read already
	 */
	readInto(place: Buffer, take: (bytes: Buffer) => void): void {
		if (place.length === 0) throw new InvalidInputError("A place to read into cannot be empty");
		if (this.readableFlowing !== null || this.readableLength > 0)
			throw new InvalidInputError("The vchan is being read already");
		this.#sink = { place, take };
		this.on("resume", () => this.#takeTurn());
		this.resume();
	}

	/** Destroys the stream and resolves when everything is released. What was not written is dropped: `end` first. */
	close(): Promise<void> {
		if (this.closed) return Promise.resolve();
		return new Promise((resolve) => {
			this.once("close", resolve);
			this.destroy();
		});
	}

	override _read(): void {
		this.#wantsData = true;
		this.#guard(() => this.#pull());
	}

	override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
		this.#pendingWrite = { bytes, written: 0, done };
		this.#guard(() => this.#flush());
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		if (this.#turn) clearImmediate(this.#turn);
		const { depart, release } = this.#parts;
		const write = this.#pendingWrite;
		this.#pendingWrite = undefined;
		try {
			depart();
		} catch {
			// The peer may be gone altogether; our own things are released all the same.
		}
		try {
			release();
			done(error);
		} catch (failure) {
			done(error ?? (failure as Error));
		}
		write?.done(error ?? new CancelledError("The vchan was closed here"));
	}

	/** Tells the peer of a first change, and looks for what it did before we could be told. */
	protected start(): void {
		this.#parts.evtchn.notify();
		this.#takeTurn();
	}

	/** After the rings were served, in each turn. */
	#noticePeer(): void {
		if (this.#legacy || this.#parts.isPeerThere()) return;
		// Read after the live byte: all that an honest peer wrote before it closed is there.
		this.#legacy = this.#parts.incoming.read(LARGEST_RING_BYTES);
		this.stats.bytesRead += this.#legacy.length;
		this.#parts.onPeerGone?.();
		this.#pull();
	}

	#takeTurn(): void {
		this.#turn ??= setImmediate(() => {
			this.#turn = undefined;
			this.#budgetBytes = BYTES_PER_TURN;
			this.#looks.renew();
			this.#guard(() => this.#serve());
		});
	}

	#serve(): void {
		const { events, bytesRead, bytesWritten } = this.stats;
		const before = bytesRead + bytesWritten;
		this.#eventRate.check({ events, bytes: before });
		this.#pull();
		if (!this.destroyed) this.#flush();
		if (!this.destroyed) this.#noticePeer();
		this.#patience.afterTurn(this.stats.bytesRead + this.stats.bytesWritten - before);
	}

	#pull(): void {
		if (this.#isPulling || this.#hasEnded) return;
		this.#isPulling = true;
		try {
			while (this.#wantsData && !this.destroyed && this.#pullOnce());
		} finally {
			this.#isPulling = false;
		}
		this.#endIfDrained();
	}

	/** False when there is nothing more to do now. */
	#pullOnce(): boolean {
		if (this.#sink && this.isPaused()) return false;
		if (this.#legacy) return this.#pullLegacy(this.#legacy);
		if (this.#budgetBytes <= 0) {
			this.#takeTurn();
			return false;
		}
		const bytes = this.#parts.incoming.read(LARGEST_RING_BYTES, this.#sink?.place);
		if (bytes.length === 0) return this.#awaitBytes();
		this.#budgetBytes -= bytes.length;
		this.stats.bytesRead += bytes.length;
		this.#tell(NOTIFY.consumed);
		this.#deliver(bytes);
		return true;
	}

	#awaitBytes(): boolean {
		const { incoming } = this.#parts;
		const isStreaming = this.#patience.isLooking && this.#budgetBytes < BYTES_PER_TURN;
		if (isStreaming && this.#looks.lookFor(1, () => incoming.available()) > 0) return true;
		return this.#waitFor(NOTIFY.written, () => incoming.available());
	}

	#pullLegacy(legacy: Buffer): boolean {
		if (legacy.length === 0) return false;
		this.#legacy = Buffer.alloc(0);
		this.#deliver(legacy);
		return true;
	}

	#deliver(bytes: Buffer): void {
		if (this.#sink) {
			this.#sink.take(bytes);
			return;
		}
		this.#wantsData = false;
		if (this.push(bytes)) this.#wantsData = true;
	}

	#flush(): void {
		for (let write = this.#pendingWrite; write && !this.#legacy; write = this.#pendingWrite) {
			const amount = this.#parts.outgoing.write(write.bytes.subarray(write.written));
			write.written += amount;
			this.stats.bytesWritten += amount;
			if (amount > 0) this.#tell(NOTIFY.written);
			if (write.written === write.bytes.length) {
				this.#pendingWrite = undefined;
				write.done();
				if (this.destroyed) return;
			} else if (amount === 0 && !this.#waitFor(NOTIFY.consumed, () => this.#parts.outgoing.space())) {
				return;
			}
		}
		if (this.#hasEnded && this.readableEnded) this.#failWrite();
	}

	/** While bytes flow the next turn looks again, which costs less than an event. True when there is something now. */
	#waitFor(wish: number, amount: () => number): boolean {
		if (!this.#patience.isLooking) return this.#askFor(wish, amount);
		this.#takeTurn();
		return false;
	}

	/** Asks to be told, then looks again: the peer may have acted before it saw the wish. True when it had. */
	#askFor(wish: number, amount: () => number): boolean {
		const { page, wishes } = this.#parts;
		Atomics.or(page, wishes.own, wish);
		return amount() > 0;
	}

	/** Sends an event when the peer asked for this kind. */
	#tell(kind: number): void {
		const { page, wishes, evtchn } = this.#parts;
		if (Atomics.and(page, wishes.peers, ~kind & 0xff) & kind) evtchn.notify();
	}

	#endIfDrained(): void {
		if (this.#legacy?.length !== 0 || this.#hasEnded || this.destroyed) return;
		this.#hasEnded = true;
		this.push(null);
	}

	#failWrite(): void {
		const write = this.#pendingWrite;
		if (!write || !this.#legacy) return;
		this.#pendingWrite = undefined;
		write.done(new VchanClosedError());
	}

	/** What goes wrong with the memory or the event channel ends the stream. */
	#guard(act: () => void): void {
		if (this.destroyed) return;
		try {
			act();
		} catch (error) {
			this.destroy(error as Error);
		}
	}
}
