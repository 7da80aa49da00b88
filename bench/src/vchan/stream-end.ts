import type { Duplex } from "node:stream";
import { PIECE_BYTES } from "./orders.ts";

const PIECE = Buffer.alloc(PIECE_BYTES);

/** A stream, in the sizes that are asked for: one read and one write at a time. */
export class StreamEnd {
	readonly #stream: Duplex;
	#held: Buffer[] = [];
	#heldBytes = 0;
	#isOver = false;
	#wake: () => void = () => {};

	constructor(stream: Duplex) {
		this.#stream = stream;
		stream.on("error", () => {}); // "close" follows
		stream.on("data", (chunk: Buffer) => {
			this.#held.push(chunk);
			this.#heldBytes += chunk.length;
			this.#wake();
		});
		stream.once("close", () => {
			this.#isOver = true;
			this.#wake();
		});
	}

	/** Exactly so many bytes; undefined when the stream ends before. */
	async find(length: number): Promise<Buffer | undefined> {
		while (this.#heldBytes < length) {
			if (this.#isOver) return undefined;
			await this.#more();
		}
		const all = this.#held.length === 1 && this.#held[0] ? this.#held[0] : Buffer.concat(this.#held);
		const rest = all.subarray(length);
		this.#held = rest.length > 0 ? [rest] : [];
		this.#heldBytes = rest.length;
		return all.subarray(0, length);
	}

	/** @throws RangeError when the stream ends before */
	async read(length: number): Promise<Buffer> {
		const bytes = await this.find(length);
		if (!bytes) throw new RangeError(`The stream has ended before ${length} bytes`);
		return bytes;
	}

	/** Reads and forgets; nothing that follows may be there already. @throws RangeError as `read` does */
	async skip(length: number): Promise<void> {
		for (let left = length; ; ) {
			left -= this.#heldBytes;
			this.#held = [];
			this.#heldBytes = 0;
			if (left <= 0) break;
			if (this.#isOver) throw new RangeError(`The stream has ended ${left} bytes before the last`);
			await this.#more();
		}
	}

	/** Resolves when all of it is in the ring. */
	write(bytes: Buffer): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#stream.write(bytes, (error) => (error ? reject(error) : resolve()));
		});
	}

	async writeMany(length: number): Promise<void> {
		for (let left = length; left > 0; left -= PIECE_BYTES) await this.write(PIECE.subarray(0, left));
	}

	#more(): Promise<void> {
		return new Promise((resolve) => {
			this.#wake = resolve;
		});
	}
}
