import { ProtocolError } from "@bulkhead/base";
import { LIMITS } from "./limits.ts";
import type { Message } from "./message.ts";

/**
 * Cuts a byte stream into messages. Speaks xs_wire.h: a 16-byte little-endian header, then as many bytes as it says, at
 * most 4096. Holds one message's worth of memory whatever arrives; the payloads handed out are copies.
 */
export class MessageParser {
	readonly #frame: Buffer = Buffer.alloc(LIMITS.header + LIMITS.payload);
	#filled = 0;
	#refusal: ProtocolError | undefined;

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
		let at = 0;
		while (at < chunk.length) {
			const wanted = this.#frameLength() - this.#filled;
			const part = chunk.subarray(at, at + wanted);
			this.#frame.set(part, this.#filled);
			this.#filled += part.length;
			at += part.length;
			if (this.#filled === this.#frameLength()) this.#finish(deliver);
		}
	}

	/** Length of the frame as far as it is known: the header's until that is complete. */
	#frameLength(): number {
		if (this.#filled < LIMITS.header) return LIMITS.header;
		const length = this.#frame.readUInt32LE(12);
		if (length <= LIMITS.payload) return LIMITS.header + length;
		this.#refusal = new ProtocolError(`Message announces a payload of ${length} bytes`, {
			fields: { length, limit: LIMITS.payload },
		});
		throw this.#refusal;
	}

	#finish(deliver: (message: Message) => void): void {
		const frame = this.#frame;
		const message: Message = {
			type: frame.readUInt32LE(0),
			requestId: frame.readUInt32LE(4),
			transactionId: frame.readUInt32LE(8),
			payload: Buffer.from(frame.subarray(LIMITS.header, this.#filled)),
		};
		this.#filled = 0;
		deliver(message);
	}
}
