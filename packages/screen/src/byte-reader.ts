import type { Readable } from "node:stream";
import { ProtocolError } from "@bulkhead/base";

/** Takes exact numbers of bytes from a stream; reads no further ahead than one chunk. */
export class ByteReader {
	readonly #chunks: AsyncIterator<Buffer>;
	#rest: Buffer = Buffer.alloc(0);

	constructor(stream: Readable) {
		this.#chunks = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
	}

	/** The caller has checked the count against a limit. @throws ProtocolError `screen-closed` when the stream ends before */
	async take(count: number): Promise<Buffer> {
		const bytes = Buffer.allocUnsafe(count);
		await this.fill(bytes);
		return bytes;
	}

	/** The same into memory of the caller's. */
	async fill(target: Uint8Array): Promise<void> {
		let done = 0;
		while (done < target.length) {
			if (this.#rest.length === 0) this.#rest = await this.#next();
			const part = this.#rest.subarray(0, target.length - done);
			target.set(part, done);
			done += part.length;
			this.#rest = this.#rest.subarray(part.length);
		}
	}

	async skip(count: number): Promise<void> {
		let left = count;
		while (left > 0) {
			if (this.#rest.length === 0) this.#rest = await this.#next();
			const part = Math.min(left, this.#rest.length);
			left -= part;
			this.#rest = this.#rest.subarray(part);
		}
	}

	async #next(): Promise<Buffer> {
		const { value, done } = await this.#chunks.next();
		if (done) throw new ProtocolError("The screen's connection ended too soon", {}, "screen-closed");
		return value;
	}
}
