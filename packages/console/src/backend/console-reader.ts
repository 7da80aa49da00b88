import type { Journal } from "../journal/journal.ts";

/** Where a reader begins: at the newest byte, the oldest kept, somewhat before the newest, or a stream offset. */
export type ReadFrom = "live" | "start" | "tail" | number;

const TAIL_BYTES = 16 * 1024;

/**
 * One connected reader's place in a console's stream. While it is open, the journal keeps everything from `offset` on,
 * and when there is no room for that the guest waits.
 */
export class ConsoleReader {
	readonly #journal: Journal;
	readonly #moved: () => void;
	readonly #onClose: (reader: ConsoleReader) => void;
	/** There is something new to read, or the console has ended. */
	readonly onReadable: () => void;
	#offset: number;

	constructor(options: {
		journal: Journal;
		from: ReadFrom;
		onReadable: () => void;
		onMoved: () => void;
		onClose: (reader: ConsoleReader) => void;
	}) {
		this.#journal = options.journal;
		this.#moved = options.onMoved;
		this.#onClose = options.onClose;
		this.onReadable = options.onReadable;
		this.#offset = beginning(options.journal, options.from);
	}

	/** Offset of the next byte that this reader has not taken. */
	get offset(): number {
		return this.#offset;
	}

	get drained(): boolean {
		return this.#offset >= this.#journal.end;
	}

	/**
	 * A copy of the next bytes, not yet taken. `gapBytes` counts those that came before and are no longer in the journal:
	 * only after beginning at an old offset, or when a dying console was emptied in haste.
	 */
	peek(maxBytes: number): { gapBytes: number; bytes: Uint8Array } {
		const gapBytes = Math.max(0, this.#journal.start - this.#offset);
		this.#offset += gapBytes;
		return { gapBytes, bytes: this.#journal.read(this.#offset, maxBytes) };
	}

	/** `count` of the bytes peeked at have been passed on. */
	take(count: number): void {
		this.#offset += count;
		this.#moved();
	}

	/** Idempotent. */
	close(): void {
		this.#onClose(this);
		this.#moved();
	}
}

function beginning(journal: Journal, from: ReadFrom): number {
	if (from === "start") return journal.start;
	if (from === "live") return journal.end;
	if (from === "tail") return Math.max(journal.start, journal.end - TAIL_BYTES);
	return Math.min(Math.max(0, from), journal.end);
}
