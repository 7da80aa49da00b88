import type { VchanEndpoint } from "@bulkhead/vchan";
import { PIECE_BYTES } from "./orders.ts";

const PIECE = Buffer.alloc(PIECE_BYTES);

/** One end of a vchan, in the sizes that are asked for: one read and one write at a time. */
export class OrderedEnd {
	readonly #vchan: VchanEndpoint;
	#held: Buffer = Buffer.alloc(0);
	/** Of what comes next: read and forgotten. */
	#skipBytes = 0;
	#isOver = false;
	#wake: () => void = () => {};

	constructor(vchan: VchanEndpoint) {
		this.#vchan = vchan;
		vchan.on("error", () => {}); // "close" follows
		vchan.readInto(Buffer.alloc(PIECE_BYTES), (bytes) => this.#take(bytes));
		vchan.once("close", () => {
			this.#isOver = true;
			this.#wake();
		});
	}

	/** Exactly so many bytes; undefined when the stream ends before. */
	async find(length: number): Promise<Buffer | undefined> {
		while (this.#held.length < length) {
			if (this.#isOver) return undefined;
			await this.#more();
		}
		const bytes = this.#held.subarray(0, length);
		this.#held = this.#held.subarray(length);
		return bytes;
	}

	/** @throws RangeError when the stream ends before */
	async read(length: number): Promise<Buffer> {
		const bytes = await this.find(length);
		if (!bytes) throw new RangeError(`The stream has ended before ${length} bytes`);
		return bytes;
	}

	/** Reads and forgets. @throws RangeError as `read` does */
	async skip(length: number): Promise<void> {
		const held = Math.min(length, this.#held.length);
		this.#held = this.#held.subarray(held);
		this.#skipBytes = length - held;
		while (this.#skipBytes > 0) {
			if (this.#isOver) throw new RangeError(`The stream has ended ${this.#skipBytes} bytes before the last`);
			await this.#more();
		}
	}

	/** Resolves when all of it is in the ring. */
	write(bytes: Buffer): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#vchan.write(bytes, (error) => (error ? reject(error) : resolve()));
		});
	}

	async writeMany(length: number): Promise<void> {
		for (let left = length; left > 0; left -= PIECE_BYTES) await this.write(PIECE.subarray(0, left));
	}

	#take(bytes: Buffer): void {
		const skipped = Math.min(this.#skipBytes, bytes.length);
		this.#skipBytes -= skipped;
		if (skipped < bytes.length) this.#held = Buffer.concat([this.#held, bytes.subarray(skipped)]);
		if (this.#skipBytes === 0) this.#wake();
	}

	#more(): Promise<void> {
		return new Promise((resolve) => {
			this.#wake = resolve;
		});
	}
}
