import type { Writable } from "node:stream";
import { LIMITS } from "../wire/limits.ts";
import { writeMessage } from "../wire/message.ts";

const LONGEST_MESSAGE = LIMITS.header + LIMITS.payload;
/** So many bytes leave in one write at most. */
const WRITE_BYTES = 64 * 1024;

/** Gathers the messages of one turn of the event loop and sends them in one write. */
export class Outbox {
	readonly #stream: Writable;
	readonly #gathered: Buffer = Buffer.allocUnsafeSlow(WRITE_BYTES);
	#filled = 0;

	constructor(stream: Writable) {
		this.#stream = stream;
	}

	/** Puts a message behind the others. @returns true when it is the first one: a `flush` must follow. */
	add(type: number, requestId: number, transactionId: number, payload: Uint8Array): boolean {
		if (this.#filled + LONGEST_MESSAGE > WRITE_BYTES) this.flush();
		const isFirst = this.#filled === 0;
		this.#filled = writeMessage(this.#gathered, this.#filled, { type, requestId, transactionId, payload });
		return isFirst;
	}

	/** Sends what is there, if anything. */
	flush(): void {
		if (this.#filled === 0) return;
		// A copy: the stream may hold on to it while the next turn's messages come.
		const bytes = Buffer.from(this.#gathered.subarray(0, this.#filled));
		this.#filled = 0;
		if (!this.#stream.destroyed) this.#stream.write(bytes);
	}
}
