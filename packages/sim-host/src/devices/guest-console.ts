import { CONSOLE_PAGE as PAGE } from "@bulkhead/console";
import type { SimPage } from "@bulkhead/hypervisor/sim";

export interface GuestConsoleParts {
	page: SimPage;
	/** Raises an event at the backend. */
	notify: () => void;
	onInput: (bytes: Buffer) => void;
	/** Whether input is taken now. Default: always. */
	readsNow?: () => boolean;
}

/** What waits for a backend that takes nothing: above it, the oldest is dropped, as a kernel's log ring does. */
const MOST_BACKLOG_BYTES = 64 * 1024;

/** A guest's end of a console ring (io/console.h), as a kernel's driver plays it. */
export class GuestConsole {
	readonly #parts: GuestConsoleParts;
	#backlog: Buffer = Buffer.alloc(0);
	#pour: ((most: number) => Uint8Array) | undefined;

	constructor(parts: GuestConsoleParts) {
		this.#parts = parts;
	}

	/** Bytes that wait for room in the ring. */
	get backlog(): number {
		return this.#backlog.length;
	}

	/** What does not fit follows when the backend has made room. */
	write(output: string | Uint8Array): void {
		const bytes = typeof output === "string" ? Buffer.from(output) : output;
		this.#backlog = Buffer.concat([this.#backlog, bytes]).subarray(-MOST_BACKLOG_BYTES);
		this.#pushOutput();
	}

	/** Writes what a source gives, as the backend takes it and without dropping any, until it gives nothing. */
	pour(source: (most: number) => Uint8Array): void {
		this.#pour = source;
		this.#pushOutput();
	}

	/** The event channel's handler. */
	handleEvent(): void {
		this.#pushOutput();
		this.#takeInput();
	}

	#pushOutput(): void {
		const { words, bytes } = this.#parts.page;
		const produced = Atomics.load(words, PAGE.outputProduced);
		const used = (produced - Atomics.load(words, PAGE.outputConsumed)) >>> 0;
		if (this.#backlog.length === 0 && used < PAGE.outputBytes) this.#draw(PAGE.outputBytes - used);
		const count = Math.min(this.#backlog.length, PAGE.outputBytes - used);
		if (count <= 0) return;
		for (let at = 0; at < count; at++)
			bytes[PAGE.outputOffset + ((produced + at) % PAGE.outputBytes)] = this.#backlog[at] ?? 0;
		Atomics.store(words, PAGE.outputProduced, (produced + count) >>> 0);
		this.#backlog = this.#backlog.subarray(count);
		this.#parts.notify();
	}

	#draw(most: number): void {
		if (!this.#pour) return;
		this.#backlog = Buffer.from(this.#pour(most));
		if (this.#backlog.length === 0) this.#pour = undefined;
	}

	#takeInput(): void {
		const { words, bytes } = this.#parts.page;
		const consumed = Atomics.load(words, PAGE.inputConsumed);
		const count = (Atomics.load(words, PAGE.inputProduced) - consumed) >>> 0;
		if (count === 0 || count > PAGE.inputBytes || this.#parts.readsNow?.() === false) return;
		const taken = Buffer.alloc(count);
		for (let at = 0; at < count; at++) taken[at] = bytes[(consumed + at) % PAGE.inputBytes] ?? 0;
		Atomics.store(words, PAGE.inputConsumed, (consumed + count) >>> 0);
		this.#parts.notify();
		this.#parts.onInput(taken);
	}
}
