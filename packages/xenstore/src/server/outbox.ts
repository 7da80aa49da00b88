import type { Duplex } from "node:stream";
import { LIMITS } from "../wire/limits.ts";
import { OPERATION } from "../wire/operations.ts";
import type { Domain } from "./domain.ts";
import type { RequestWeight } from "./request-weight.ts";

export interface Outgoing {
	type: number;
	requestId: number;
	transactionId: number;
	/** One character for each byte. */
	payload: string;
	weight: RequestWeight | undefined;
}

interface Queued extends Outgoing {
	/** An event that `expireEvents` has seen before. */
	isOld: boolean;
}

const IDLE = 1024;

/**
 * Answers and events on their way to one client. They leave in order, joined, while the client's stream takes them, and
 * wait here while it does not; what waits is charged to the client's domain.
 */
export class Outbox {
	readonly #account: Domain;
	/** Bytes joined in one write. */
	readonly #batchBytes: number;
	#queue: Queued[] = [];
	/** Entries at the front that have left. */
	#left = 0;
	#byteLength = 0;
	/** Events that wait, by their payload. */
	readonly #events = new Set<string>();
	#stream: Duplex | undefined;

	constructor(account: Domain, batchBytes: number) {
		this.#account = account;
		this.#batchBytes = batchBytes;
	}

	/** Waiting, with headers. */
	get byteLength(): number {
		return this.#byteLength;
	}

	attach(stream: Duplex | undefined): void {
		this.#stream = stream;
	}

	push(message: Outgoing): void {
		this.#queue.push({ ...message, isOld: false });
		const bytes = sizeOf(message);
		this.#byteLength += bytes;
		this.#account.addMemory(bytes);
		message.weight?.add();
		if (message.type === OPERATION.WATCH_EVENT) this.#events.add(message.payload);
	}

	/** The client does not keep up, and has the same event before it already. */
	isPending(event: string): boolean {
		return this.#isStalled && this.#events.has(event);
	}

	/** Writes as long as the stream takes more. */
	flush(): void {
		const stream = this.#stream;
		while (this.#left < this.#queue.length && stream && !this.#isStalled) stream.write(this.#takeBatch());
	}

	/** Drops the events that were waiting at the last call already. */
	expireEvents(): void {
		const kept: Queued[] = [];
		for (const entry of this.#queue.slice(this.#left)) {
			if (entry.type === OPERATION.WATCH_EVENT && entry.isOld) this.#release(entry);
			else kept.push(entry);
			entry.isOld = true;
		}
		this.#queue = kept;
		this.#left = 0;
	}

	clear(): void {
		for (const entry of this.#queue.slice(this.#left)) this.#release(entry);
		this.#queue = [];
		this.#left = 0;
	}

	get #isStalled(): boolean {
		return this.#stream === undefined || this.#stream.writableNeedDrain || this.#stream.destroyed;
	}

	#takeBatch(): Buffer {
		const first = this.#left;
		let bytes = 0;
		for (let at = first; at < this.#queue.length; at++) {
			const size = sizeOf(this.#queue[at] as Queued);
			if (bytes > 0 && bytes + size > this.#batchBytes) break;
			bytes += size;
			this.#left++;
		}
		const batch = Buffer.allocUnsafe(bytes);
		let offset = 0;
		for (let at = first; at < this.#left; at++) {
			const entry = this.#queue[at] as Queued;
			offset = encode(entry, batch, offset);
			this.#release(entry);
		}
		this.#forgetLeft();
		return batch;
	}

	#forgetLeft(): void {
		if (this.#left === this.#queue.length) this.#queue = [];
		else if (this.#left >= IDLE && this.#left * 2 >= this.#queue.length) this.#queue = this.#queue.slice(this.#left);
		else return;
		this.#left = 0;
	}

	#release(entry: Queued): void {
		const bytes = sizeOf(entry);
		this.#byteLength -= bytes;
		if (entry.type === OPERATION.WATCH_EVENT) this.#events.delete(entry.payload);
		this.#account.addMemory(-bytes);
		entry.weight?.drop();
	}
}

function sizeOf({ payload }: Outgoing): number {
	return LIMITS.header + payload.length;
}

function encode({ type, requestId, transactionId, payload }: Outgoing, into: Buffer, offset: number): number {
	into.writeUInt32LE(type, offset);
	into.writeUInt32LE(requestId, offset + 4);
	into.writeUInt32LE(transactionId, offset + 8);
	into.writeUInt32LE(payload.length, offset + 12);
	into.write(payload, offset + LIMITS.header, "latin1");
	return offset + LIMITS.header + payload.length;
}
