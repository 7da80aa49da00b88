import { LARGEST_RING_BYTES } from "./layout.ts";
import type { Incoming, RingConsumer } from "./ring.ts";

/**
 * The left ring of a server whose clients begin with a marker byte, as those of Qubes' vchan-socket-proxy do: after a
 * reconnection that nobody noticed, it tells the new client's bytes from the old one's. The protocol inside must never
 * use the byte; JSON does not use those below 32.
 */
export class MarkedInput implements Incoming {
	readonly #ring: RingConsumer;
	readonly #marker: number;
	readonly #onMarker: () => void;
	/** Whether the client's own marker was seen: another one is another client's. */
	#isMarked: boolean;
	/** Whether the ring may still hold what an earlier client had said. */
	#isStale: boolean;
	#isOver = false;

	constructor(ring: RingConsumer, options: { marker: number; isMarked: boolean; onMarker: () => void }) {
		this.#ring = ring;
		this.#marker = options.marker;
		this.#isMarked = options.isMarked;
		this.#isStale = !options.isMarked;
		this.#onMarker = options.onMarker;
	}

	/** True once another client's marker was found: what follows in the ring is that client's. */
	get isOver(): boolean {
		return this.#isOver;
	}

	available(): number {
		return this.#isOver ? 0 : this.#ring.available();
	}

	read(limit: number, place?: Buffer): Buffer {
		if (this.#isOver) return NOTHING;
		if (this.#isStale) this.#dropStale();
		const bytes = this.#ring.peek(limit, place);
		if (bytes.length === 0) return bytes;
		const at = bytes.lastIndexOf(this.#marker);
		const isOwn = at === 0 && !this.#isMarked;
		this.#isMarked = true;
		if (at !== -1 && !isOwn) {
			this.#ring.skip(at + 1);
			this.#isOver = true;
			this.#onMarker();
			return NOTHING;
		}
		this.#ring.skip(bytes.length);
		if (!isOwn) return bytes;
		return bytes.length > 1 ? bytes.subarray(1) : this.read(limit, place);
	}

	/** Up to and with the last marker. Without one all is old: a client's marker is the first that it writes. */
	#dropStale(): void {
		this.#isStale = false;
		const bytes = this.#ring.peek(LARGEST_RING_BYTES);
		const at = bytes.lastIndexOf(this.#marker);
		this.#ring.skip(at === -1 ? bytes.length : at + 1);
		this.#isMarked = at !== -1;
	}
}

const NOTHING: Buffer = Buffer.alloc(0);
