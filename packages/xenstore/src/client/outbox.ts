import type { Writable } from "node:stream";
import { LIMITS } from "../wire/limits.ts";
import { encodeMessage, type Message, writeMessage } from "../wire/message.ts";

const LONGEST_MESSAGE = LIMITS.header + LIMITS.payload;
/** So many bytes leave in one write at most. */
const WRITE_BYTES = 64 * 1024;
/**
 * So many requests are with xenstored at once. Its sockets block: with more small replies than a socket's buffer takes
 * (some 270) it would stand still, for everybody, until we have read them.
 */
const MOST_IN_FLIGHT = 128;
/** More follow when so few are left: one write carries many requests, and xenstored never runs out of them. */
const FEW_IN_FLIGHT = MOST_IN_FLIGHT / 2;

/** Gathers the messages of one turn of the event loop and sends them in one write; the rest follows as replies come. */
export class Outbox {
	readonly #stream: Writable;
	readonly #gathered: Buffer = Buffer.allocUnsafeSlow(WRITE_BYTES);
	#filled = 0;
	#inFlight = 0;
	#waiting: Message[] = [];
	/** Of the first that waits. */
	#next = 0;

	constructor(stream: Writable) {
		this.#stream = stream;
	}

	/** Sends a message at once. For one that is alone: nothing is unanswered or gathered. */
	send(message: Message): void {
		this.#inFlight++;
		if (!this.#stream.destroyed) this.#stream.write(encodeMessage(message));
	}

	/** Puts a message behind the others. A `flush` must follow. */
	add(message: Message): void {
		if (this.#inFlight >= MOST_IN_FLIGHT || this.#next < this.#waiting.length) this.#waiting.push(message);
		else this.#gather(message);
	}

	/** A message has been answered: another may go. */
	answered(): void {
		this.#inFlight--;
	}

	/** Sends what is there, and what waits as far as it may. */
	flush(): void {
		if (this.#waiting.length > 0 && this.#inFlight <= FEW_IN_FLIGHT) this.#gatherWaiting();
		this.#send();
	}

	#gatherWaiting(): void {
		while (this.#inFlight < MOST_IN_FLIGHT && this.#next < this.#waiting.length)
			this.#gather(this.#waiting[this.#next++] as Message);
		if (this.#next * 2 > this.#waiting.length) {
			this.#waiting = this.#waiting.slice(this.#next);
			this.#next = 0;
		}
	}

	#gather(message: Message): void {
		if (this.#filled + LONGEST_MESSAGE > WRITE_BYTES) this.#send();
		this.#filled = writeMessage(this.#gathered, this.#filled, message);
		this.#inFlight++;
	}

	#send(): void {
		if (this.#filled === 0) return;
		// A copy: the stream may hold on to it while the next turn's messages come.
		const bytes = Buffer.from(this.#gathered.subarray(0, this.#filled));
		this.#filled = 0;
		if (!this.#stream.destroyed) this.#stream.write(bytes);
	}
}
