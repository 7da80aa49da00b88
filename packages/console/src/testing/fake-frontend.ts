import type { DomId, EvtchnPort, GrantRef } from "@bulkhead/base";
import { CONSOLE_PAGE as PAGE } from "../ring/layout.ts";
import type { FakeRingHost, SharedPage } from "./fake-ring-host.ts";

/**
 * The guest's end of a console ring: writes output and takes input as a guest's driver does, and lets a test write
 * nonsense into the counters.
 */
export class FakeFrontend {
	readonly domid: DomId;
	readonly gref: GrantRef;
	readonly port: EvtchnPort;
	/** Everything the backend has typed. */
	received: Uint8Array = new Uint8Array(0);
	/** When false, input stays in the ring. */
	takesInput = true;
	readonly #page: SharedPage;
	readonly #raise: () => void;
	#backlog: Uint8Array = new Uint8Array(0);

	constructor(host: FakeRingHost, options: { domid: number; gref: number; port: number; startAt?: number }) {
		this.domid = options.domid as DomId;
		this.gref = options.gref as GrantRef;
		this.port = options.port as EvtchnPort;
		this.#page = host.offerPage(this.domid, this.gref);
		this.#raise = host.offerPort(this.domid, this.port, () => this.#progress());
		const start = options.startAt ?? 0;
		for (const word of [PAGE.inputConsumed, PAGE.inputProduced, PAGE.outputConsumed, PAGE.outputProduced])
			this.#words[word] = start;
	}

	/** Bytes written by the guest that have not fitted into the ring yet. */
	get backlog(): number {
		return this.#backlog.length;
	}

	/** Bytes in the ring that the backend has not taken. */
	get pending(): number {
		const words = this.#words;
		return (Atomics.load(words, PAGE.outputProduced) - Atomics.load(words, PAGE.outputConsumed)) >>> 0;
	}

	/** Sets a counter to whatever a hostile guest likes, and raises an event. */
	poke(counter: "inputConsumed" | "inputProduced" | "outputConsumed" | "outputProduced", value: number): void {
		Atomics.store(this.#words, PAGE[counter], value);
		this.#raise();
	}

	/** Raises an event, for nothing. */
	notify(): void {
		this.#raise();
	}

	/** Leaves whatever it likes in the page, counters included, without an event. */
	scribble(bytes: Uint8Array, offset: number): void {
		this.#bytes.set(bytes, offset);
	}

	/** The guest prints: what does not fit follows when the backend has made room. */
	write(bytes: Uint8Array): void {
		this.#backlog = Buffer.concat([this.#backlog, bytes]);
		this.#progress();
	}

	/** Takes input now, whatever `takesInput` says. */
	takeInput(): void {
		const words = this.#words;
		const consumed = Atomics.load(words, PAGE.inputConsumed);
		const count = (Atomics.load(words, PAGE.inputProduced) - consumed) >>> 0;
		if (count === 0) return;
		if (count > PAGE.inputBytes) throw new Error(`Backend put ${count} bytes into the input ring`);
		const taken = new Uint8Array(count);
		for (let at = 0; at < count; at++) taken[at] = this.#bytes[(consumed + at) % PAGE.inputBytes] ?? 0;
		Atomics.store(words, PAGE.inputConsumed, (consumed + count) >>> 0);
		this.received = Buffer.concat([this.received, taken]);
		this.#raise();
	}

	#progress(): void {
		this.#pushOutput();
		if (this.takesInput) this.takeInput();
	}

	#pushOutput(): void {
		const words = this.#words;
		const produced = Atomics.load(words, PAGE.outputProduced);
		const used = (produced - Atomics.load(words, PAGE.outputConsumed)) >>> 0;
		const count = Math.min(this.#backlog.length, PAGE.outputBytes - used);
		if (count <= 0) return;
		for (let at = 0; at < count; at++)
			this.#bytes[PAGE.outputOffset + ((produced + at) % PAGE.outputBytes)] = this.#backlog[at] ?? 0;
		Atomics.store(words, PAGE.outputProduced, (produced + count) >>> 0);
		this.#backlog = this.#backlog.subarray(count);
		this.#raise();
	}

	get #bytes(): Uint8Array {
		return new Uint8Array(this.#page.buffer);
	}

	get #words(): Uint32Array {
		return new Uint32Array(this.#page.buffer);
	}
}
