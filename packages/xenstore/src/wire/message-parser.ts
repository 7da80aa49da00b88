import { ProtocolError } from "@bulkhead/base";
import { LIMITS } from "./limits.ts";
import type { Message } from "./message.ts";

/**
 * Cuts a byte stream into messages. Speaks xs_wire.h: a 16-byte little-endian header, then as many bytes as it says, at
 * most the limit. Holds one message's worth of memory whatever arrives; the payloads handed out are copies.
 */
export class MessageParser {
	readonly #limit: number;
	/** The message under way, as far as it has come. Grows for one above the protocol's size, if the limit lets it. */
	#frame: Buffer = Buffer.allocUnsafeSlow(LIMITS.header + LIMITS.payload);
	#filled = 0;
	#refusal: ProtocolError | undefined;

	/** `payloadBytes`: the longest payload to accept. Default: the protocol's. */
	constructor({ payloadBytes = LIMITS.payload }: { payloadBytes?: number } = {}) {
		this.#limit = payloadBytes;
	}

	/** True between messages: the stream may end here. */
	get isIdle(): boolean {
		return this.#filled === 0;
	}

	/**
	 * Delivers every message that the chunk completes, in order, then keeps the rest.
	 * @throws ProtocolError when a header announces too much, and from then on always
	 */
	push(chunk: Uint8Array, deliver: (message: Message) => void): void {
		if (this.#refusal) throw this.#refusal;
		const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
		let at = 0;
		while (at < bytes.length) {
			const wholeLength = this.#filled === 0 ? this.#wholeLength(bytes, at) : undefined;
			if (wholeLength !== undefined) {
				deliver(readMessage(bytes, at, wholeLength));
				at += wholeLength;
			} else {
				at += this.#gather(bytes.subarray(at), deliver);
			}
		}
	}

	/** Length of the message at the offset, if all of it is there. */
	#wholeLength(bytes: Buffer, at: number): number | undefined {
		if (bytes.length - at < LIMITS.header) return undefined;
		const length = LIMITS.header + this.#payloadLength(bytes, at);
		return bytes.length - at >= length ? length : undefined;
	}

	/** Takes what the message under way lacks. @returns bytes taken */
	#gather(bytes: Buffer, deliver: (message: Message) => void): number {
		const isHeader = this.#filled < LIMITS.header;
		const length = isHeader ? LIMITS.header : LIMITS.header + this.#payloadLength(this.#frame, 0);
		if (length > this.#frame.length) {
			const larger = Buffer.allocUnsafeSlow(length);
			larger.set(this.#frame.subarray(0, this.#filled));
			this.#frame = larger;
		}
		const part = bytes.subarray(0, length - this.#filled);
		this.#frame.set(part, this.#filled);
		this.#filled += part.length;
		if (this.#filled < length) return part.length;
		if (isHeader && this.#payloadLength(this.#frame, 0) > 0) return part.length;
		const frame = this.#frame;
		this.#filled = 0;
		if (frame.length > LIMITS.header + LIMITS.payload)
			this.#frame = Buffer.allocUnsafeSlow(LIMITS.header + LIMITS.payload);
		deliver(readMessage(frame, 0, length));
		return part.length;
	}

	#payloadLength(bytes: Buffer, at: number): number {
		const length = bytes.readUInt32LE(at + 12);
		if (length <= this.#limit) return length;
		this.#refusal = new ProtocolError(`Message announces a payload of ${length} bytes`, {
			fields: { length, limit: this.#limit },
		});
		throw this.#refusal;
	}
}

function readMessage(bytes: Buffer, at: number, length: number): Message {
	const payload = Buffer.allocUnsafe(length - LIMITS.header);
	bytes.copy(payload, 0, at + LIMITS.header, at + length);
	return {
		type: bytes.readUInt32LE(at),
		requestId: bytes.readUInt32LE(at + 4),
		transactionId: bytes.readUInt32LE(at + 8),
		payload,
	};
}
