import { ProtocolError } from "@bulkhead/base";
import { CONSOLE_PAGE as PAGE } from "./layout.ts";

/**
 * The backend's end of a console page, pure arithmetic: no notification, no files.
 *
 * The guest may write anything anywhere at any time. The two counters that are ours (out_cons, in_prod) are therefore
 * read once, when the ring is opened, and kept here; the guest's two are copied once per look and the copy is checked.
 * An impossible amount is a ProtocolError: the page is of no more use.
 *
 * Ordering: Atomics are sequentially consistent, so the load of a `prod` comes before the copy of the data it announces,
 * and the store of a counter comes after the copy it reports.
 */
export class ConsoleRing {
	readonly #bytes: Uint8Array;
	readonly #words: Uint32Array;
	#outputConsumed: number;
	#inputProduced: number;

	/** @throws ProtocolError when the page's counters are impossible already */
	constructor(page: ArrayBuffer) {
		if (page.byteLength < PAGE.pageBytes) throw new RangeError("A console ring needs a whole page");
		this.#bytes = new Uint8Array(page, 0, PAGE.pageBytes);
		this.#words = new Uint32Array(page, 0, PAGE.pageBytes / 4);
		this.#outputConsumed = Atomics.load(this.#words, PAGE.outputConsumed);
		this.#inputProduced = Atomics.load(this.#words, PAGE.inputProduced);
		this.pendingOutput();
		this.inputSpace();
	}

	/** The counter of the next byte to take from the guest (out_cons), modulo 2^32. */
	get outputCounter(): number {
		return this.#outputConsumed;
	}

	/** The counter of the next byte to give to the guest (in_prod), modulo 2^32. */
	get inputCounter(): number {
		return this.#inputProduced;
	}

	/** Bytes that the guest has written and we have not taken: 0 … 2048. @throws ProtocolError */
	pendingOutput(): number {
		const pending = (Atomics.load(this.#words, PAGE.outputProduced) - this.#outputConsumed) >>> 0;
		if (pending > PAGE.outputBytes) throw impossible("output", pending);
		return pending;
	}

	/** A copy of the first `count` pending bytes; `count` is at most what `pendingOutput` just said. */
	copyOutput(count: number): Uint8Array {
		if (count > PAGE.outputBytes) throw new RangeError(`An output ring does not hold ${count} bytes`);
		const copy = new Uint8Array(count);
		const at = this.#outputConsumed % PAGE.outputBytes;
		const beforeEnd = Math.min(count, PAGE.outputBytes - at);
		copy.set(this.#bytes.subarray(PAGE.outputOffset + at, PAGE.outputOffset + at + beforeEnd));
		copy.set(this.#bytes.subarray(PAGE.outputOffset, PAGE.outputOffset + count - beforeEnd), beforeEnd);
		return copy;
	}

	/** Tells the guest that `count` bytes are taken; it may overwrite them at once. */
	consumeOutput(count: number): void {
		this.#outputConsumed = (this.#outputConsumed + count) >>> 0;
		Atomics.store(this.#words, PAGE.outputConsumed, this.#outputConsumed);
	}

	/** Bytes that fit into the guest's input now: 0 … 1024. @throws ProtocolError */
	inputSpace(): number {
		const used = (this.#inputProduced - Atomics.load(this.#words, PAGE.inputConsumed)) >>> 0;
		if (used > PAGE.inputBytes) throw impossible("input", used);
		return PAGE.inputBytes - used;
	}

	/** Puts as many bytes as fit and tells how many those were. @throws ProtocolError */
	produceInput(bytes: Uint8Array): number {
		const count = Math.min(bytes.length, this.inputSpace());
		const at = this.#inputProduced % PAGE.inputBytes;
		const beforeEnd = Math.min(count, PAGE.inputBytes - at);
		this.#bytes.set(bytes.subarray(0, beforeEnd), PAGE.inputOffset + at);
		this.#bytes.set(bytes.subarray(beforeEnd, count), PAGE.inputOffset);
		this.#inputProduced = (this.#inputProduced + count) >>> 0;
		Atomics.store(this.#words, PAGE.inputProduced, this.#inputProduced);
		return count;
	}
}

function impossible(ring: "input" | "output", amount: number): ProtocolError {
	return new ProtocolError(
		`Console ${ring} ring claims to hold ${amount} bytes`,
		{ fields: { ring, amount } },
		"console-ring-broken",
	);
}
