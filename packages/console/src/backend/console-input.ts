import type { ConsoleRing } from "../ring/console-ring.ts";

/** Somebody who types: a socket's client, an open pty. */
export interface InputSource {
	/** Bytes of this source went into the ring, up to this count of the ring's input (see ConsoleInput.counter). */
	delivered(counter: number): void;
	/** Bytes of another source went in. */
	overtaken(counter: number): void;
	/** The queue takes bytes again, after `hasRoom` was false. */
	roomAgain(): void;
}

/** Sources stop being read at the first figure; what comes all the same is dropped above the second. */
const QUEUE_BYTES = { pause: 16 * 1024, most: 256 * 1024 } as const;

/** What waits to be put into a guest's input ring: one queue for all sources, in the order of arrival. */
export class ConsoleInput {
	readonly #sources = new Set<InputSource>();
	#queue: { source: InputSource; bytes: Uint8Array }[] = [];
	#queuedBytes = 0;
	#counter: number;

	/** @param counter in_prod of the ring at attach */
	constructor(counter: number) {
		this.#counter = counter;
	}

	/** Bytes of input since the ring began, counted from in_prod and going on above 2^32. */
	get counter(): number {
		return this.#counter;
	}

	/** The same, once everything queued is in. */
	get counterAfterQueue(): number {
		return this.#counter + this.#queuedBytes;
	}

	get hasRoom(): boolean {
		return this.#queuedBytes < QUEUE_BYTES.pause;
	}

	join(source: InputSource): void {
		this.#sources.add(source);
	}

	/** What the source has given is still delivered. */
	leave(source: InputSource): void {
		this.#sources.delete(source);
	}

	/** Takes bytes over; false when the queue is above its last limit, which a source that minds `hasRoom` never meets. */
	push(source: InputSource, bytes: Uint8Array): boolean {
		if (this.#queuedBytes + bytes.length > QUEUE_BYTES.most) return false;
		if (bytes.length > 0) this.#queue.push({ source, bytes });
		this.#queuedBytes += bytes.length;
		return true;
	}

	/** Fills the ring as far as it goes and tells how many bytes went in. @throws ProtocolError */
	pump(ring: ConsoleRing): number {
		const hadRoom = this.hasRoom;
		let total = 0;
		for (let head = this.#queue[0]; head; head = this.#queue[0]) {
			const count = ring.produceInput(head.bytes);
			if (count === 0) break;
			total += count;
			this.#counter += count;
			this.#queuedBytes -= count;
			if (count === head.bytes.length) this.#queue.shift();
			else head.bytes = head.bytes.subarray(count);
			this.#tell(head.source);
		}
		if (!hadRoom && this.hasRoom) for (const source of this.#sources) source.roomAgain();
		return total;
	}

	/** Forgets everything: the ring is gone. */
	clear(): void {
		this.#queue = [];
		this.#queuedBytes = 0;
	}

	#tell(owner: InputSource): void {
		for (const source of this.#sources) {
			if (source === owner) source.delivered(this.#counter);
			else source.overtaken(this.#counter);
		}
	}
}
