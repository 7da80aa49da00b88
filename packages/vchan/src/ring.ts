import { ProtocolError } from "@bulkhead/base";

/** A ring in shared memory: its two free-running counters (u32, wrapping) and its bytes, a power of two of them. */
export interface RingMemory {
	/** The control page as 32-bit words. */
	words: Uint32Array;
	/** Positions in `words`. */
	consumer: number;
	producer: number;
	data: Uint8Array;
}

/**
 * The writing end. The peer can change every byte of the memory at any time: our own counter is kept here and only
 * published there, the peer's is copied once per question and the copy checked.
 */
export class RingProducer {
	readonly #ring: RingMemory;
	readonly #mask: number;
	#produced: number;

	/** Takes up where the counter in the memory stands. */
	constructor(ring: RingMemory) {
		this.#ring = ring;
		this.#mask = ring.data.length - 1;
		this.#produced = Atomics.load(ring.words, ring.producer);
	}

	/** Bytes that fit now. @throws ProtocolError when the peer claims to have read what was not written */
	space(): number {
		const { words, consumer, data } = this.#ring;
		const consumed = Atomics.load(words, consumer);
		return data.length - checkedAmount(this.#produced, consumed, data.length);
	}

	/** Copies as much as fits and publishes it; returns how much. @throws ProtocolError */
	write(bytes: Uint8Array): number {
		const { words, producer, data } = this.#ring;
		const amount = Math.min(bytes.length, this.space());
		if (amount === 0) return 0;
		const at = this.#produced & this.#mask;
		const beforeWrap = Math.min(amount, data.length - at);
		data.set(bytes.subarray(0, beforeWrap), at);
		data.set(bytes.subarray(beforeWrap, amount), 0);
		this.#produced = (this.#produced + amount) >>> 0;
		// Sequentially consistent: the bytes are visible before the counter, and the counter before what is read next.
		Atomics.store(words, producer, this.#produced);
		return amount;
	}

	/** Takes back what was not read. Only while there is no reader: it moves the ring under its feet. */
	dropUnread(): void {
		const { words, consumer, producer } = this.#ring;
		this.#produced = Atomics.load(words, consumer);
		Atomics.store(words, producer, this.#produced);
	}
}

/** What an endpoint reads from. */
export interface Incoming {
	/** Bytes that can be read now. @throws ProtocolError when the peer claims more than the ring holds */
	available(): number;
	/**
	 * A copy of at most `limit` bytes, given back to the writer; empty when there are none. It is made in `place`, and is no
	 * longer than that, if one is given. @throws ProtocolError
	 */
	read(limit: number, place?: Buffer): Buffer;
}

/** The reading end; see RingProducer. */
export class RingConsumer implements Incoming {
	readonly #ring: RingMemory;
	readonly #mask: number;
	#consumed: number;

	constructor(ring: RingMemory) {
		this.#ring = ring;
		this.#mask = ring.data.length - 1;
		this.#consumed = Atomics.load(ring.words, ring.consumer);
	}

	available(): number {
		const { words, producer, data } = this.#ring;
		return checkedAmount(Atomics.load(words, producer), this.#consumed, data.length);
	}

	read(limit: number, place?: Buffer): Buffer {
		const bytes = this.peek(limit, place);
		this.skip(bytes.length);
		return bytes;
	}

	/** As `read`, but the bytes stay where they are. @throws ProtocolError */
	peek(limit: number, place?: Buffer): Buffer {
		const { data } = this.#ring;
		const amount = Math.min(limit, this.available(), place?.length ?? limit);
		const bytes = place?.subarray(0, amount) ?? Buffer.allocUnsafe(amount);
		if (amount === 0) return bytes;
		const at = this.#consumed & this.#mask;
		const beforeWrap = Math.min(amount, data.length - at);
		bytes.set(data.subarray(at, at + beforeWrap), 0);
		bytes.set(data.subarray(0, amount - beforeWrap), beforeWrap);
		return bytes;
	}

	/** Gives so many bytes, which were there, back to the writer: from now on it may use their place again. */
	skip(amount: number): void {
		if (amount > 0) this.#moveTo((this.#consumed + amount) >>> 0);
	}

	/** Everything that is there, if it can be, is skipped. */
	discard(): void {
		this.#moveTo(Atomics.load(this.#ring.words, this.#ring.producer));
	}

	#moveTo(counter: number): void {
		this.#consumed = counter;
		Atomics.store(this.#ring.words, this.#ring.consumer, counter);
	}
}

function checkedAmount(produced: number, consumed: number, size: number): number {
	const amount = (produced - consumed) >>> 0;
	if (amount <= size) return amount;
	throw new ProtocolError("Vchan peer moved a ring's counter beyond the ring", { fields: { amount, size } });
}
