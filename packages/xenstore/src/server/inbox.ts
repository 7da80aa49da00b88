import { ProtocolError } from "@bulkhead/base";
import { LIMITS } from "../wire/limits.ts";

/** One request as it came. */
export interface Request {
	readonly type: number;
	readonly requestId: number;
	readonly transactionId: number;
	/** Of this request alone, but in memory shared with others: not to be kept. */
	readonly payload: Buffer;
}

/**
 * Bytes that a client has sent and that have not been handled. Messages are cut off one by one, so that what a flood
 * holds is its bytes and nothing more.
 */
export class Inbox {
	#chunks: Buffer[] = [];
	/** Handled bytes of the first chunk. */
	#offset = 0;
	#length = 0;

	get length(): number {
		return this.#length;
	}

	push(chunk: Buffer): void {
		this.#chunks.push(chunk);
		this.#length += chunk.length;
	}

	clear(): void {
		this.#chunks = [];
		this.#offset = 0;
		this.#length = 0;
	}

	/** The next whole message. @throws ProtocolError when one is announced that is too long */
	take(): Request | undefined {
		if (this.#length < LIMITS.header) return undefined;
		const header = this.#contiguous(LIMITS.header);
		const at = this.#offset;
		const length = header.readUInt32LE(at + 12);
		if (length > LIMITS.payload)
			throw new ProtocolError(`Message announces a payload of ${length} bytes`, {
				fields: { length, limit: LIMITS.payload },
			});
		if (this.#length < LIMITS.header + length) return undefined;
		const frame = this.#contiguous(LIMITS.header + length);
		const start = this.#offset;
		this.#advance(LIMITS.header + length);
		return {
			type: frame.readUInt32LE(start),
			requestId: frame.readUInt32LE(start + 4),
			transactionId: frame.readUInt32LE(start + 8),
			payload: frame.subarray(start + LIMITS.header, start + LIMITS.header + length),
		};
	}

	/** The first chunk, once it holds so many bytes that were not handled. */
	#contiguous(bytes: number): Buffer {
		const [first] = this.#chunks;
		if (first && first.length - this.#offset >= bytes) return first;
		const joined = Buffer.concat(this.#chunks).subarray(this.#offset);
		this.#chunks = [joined];
		this.#offset = 0;
		return joined;
	}

	#advance(bytes: number): void {
		this.#offset += bytes;
		this.#length -= bytes;
		if (this.#offset !== this.#chunks[0]?.length) return;
		this.#chunks.shift();
		this.#offset = 0;
	}
}
