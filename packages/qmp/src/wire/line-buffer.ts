const FIRST_BYTES = 256;

/**
 * Bytes of an unfinished message, in one buffer that grows: a peer that sends one byte at a time costs no more than one that
 * sends all at once.
 */
export class LineBuffer {
	#buffer = Buffer.alloc(0);
	#length = 0;

	get length(): number {
		return this.#length;
	}

	/** Copies, since the caller may use its bytes again. The caller has checked its limit. */
	append(part: Uint8Array): void {
		const length = this.#length + part.length;
		if (length > this.#buffer.length) {
			const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#buffer.length, FIRST_BYTES));
			this.#buffer.copy(larger, 0, 0, this.#length);
			this.#buffer = larger;
		}
		this.#buffer.set(part, this.#length);
		this.#length = length;
	}

	/** All of them; begins anew. They are good until the next append. */
	take(): Uint8Array {
		const bytes = this.#buffer.subarray(0, this.#length);
		this.#length = 0;
		// What a long message took is not kept for short ones.
		if (this.#buffer.length > 64 * FIRST_BYTES) this.#buffer = Buffer.alloc(0);
		return bytes;
	}
}
