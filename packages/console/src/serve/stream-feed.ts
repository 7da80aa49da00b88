import type { Socket } from "node:net";
import type { ConsoleBackend } from "../backend/console-backend.ts";
import type { ConsoleReader, ReadFrom } from "../backend/console-reader.ts";

/** How output looks on one kind of socket; undefined: this kind cannot say it. */
export interface FeedFormat {
	data(bytes: Uint8Array): Uint8Array;
	gap(bytes: number): Uint8Array | undefined;
	ended(reason: string): Uint8Array | undefined;
}

const CHUNK_BYTES = 32 * 1024;
/** Written before other work gets its turn. */
const TURN_BYTES = 256 * 1024;
/** How long a reader of an ended console may take for what is left. */
const DRAIN_MS = 5000;

/**
 * Feeds a console's stream to a socket: no faster than the socket takes it, from the journal, until the console has
 * ended and everything is written.
 */
export class StreamFeed {
	readonly #socket: Socket;
	readonly #backend: ConsoleBackend;
	readonly #format: FeedFormat;
	readonly #reader: ConsoleReader;
	#again: NodeJS.Immediate | undefined;
	#drain: NodeJS.Timeout | undefined;
	#closed = false;

	constructor(socket: Socket, backend: ConsoleBackend, from: ReadFrom, format: FeedFormat) {
		this.#socket = socket;
		this.#backend = backend;
		this.#format = format;
		this.#reader = backend.openReader(from, () => this.#pump());
		socket.on("drain", () => this.#pump());
	}

	get offset(): number {
		return this.#reader.offset;
	}

	start(): void {
		this.#pump();
	}

	/** Idempotent. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		clearImmediate(this.#again);
		clearTimeout(this.#drain);
		this.#reader.close();
	}

	#pump(): void {
		if (this.#closed || this.#again || this.#socket.destroyed) return;
		try {
			this.#write();
		} catch (error) {
			// The journal cannot be read: this client's trouble, and no other's.
			this.#socket.destroy(error instanceof Error ? error : undefined);
		}
	}

	#write(): void {
		for (let budget = TURN_BYTES; !this.#socket.writableNeedDrain; ) {
			const { gapBytes, bytes } = this.#reader.peek(CHUNK_BYTES);
			const gap = gapBytes > 0 ? this.#format.gap(gapBytes) : undefined;
			if (gap) this.#socket.write(gap);
			if (bytes.length === 0) break;
			this.#socket.write(this.#format.data(bytes));
			this.#reader.take(bytes.length);
			budget -= bytes.length;
			if (budget > 0) continue;
			this.#again = setImmediate(() => {
				this.#again = undefined;
				this.#pump();
			});
			return;
		}
		if (this.#backend.ended !== undefined) this.#finish(this.#backend.ended);
	}

	#finish(reason: string): void {
		if (!this.#reader.drained) {
			this.#drain ??= setTimeout(() => this.#socket.destroy(), DRAIN_MS);
			return;
		}
		this.close();
		const ended = this.#format.ended(reason);
		if (ended) this.#socket.write(ended);
		// A peer that never reads must not keep the descriptor for ever.
		const gone = setTimeout(() => this.#socket.destroy(), DRAIN_MS);
		this.#socket.once("close", () => clearTimeout(gone));
		this.#socket.end(() => this.#socket.destroy());
	}
}
