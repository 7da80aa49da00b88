import type { RingsAddon } from "../src/native/addon-shapes.ts";

/** An addon's event channel and mapping classes in memory, strict about what the adapters must not do. */
export class FakeEvtchn {
	static last: FakeEvtchn | undefined;
	readonly bound = new Set<number>();
	readonly notified: number[] = [];
	alive = false;
	closed = false;
	#next = 1;
	/** A port is masked from its event on until `unmask`. */
	readonly masked = new Set<number>();
	readonly #onEvent: (port: number) => void;

	constructor(onEvent: (port: number) => void) {
		this.#onEvent = onEvent;
		FakeEvtchn.last = this;
	}
	fire(port: number): void {
		if (this.masked.has(port)) throw new Error(`Port ${port} is masked`);
		this.masked.add(port);
		this.#onEvent(port);
	}
	unmask(port: number): void {
		if (!this.bound.has(port) || !this.masked.delete(port)) throw new Error(`Port ${port} is not masked`);
	}
	bindInterdomain(): number {
		return this.bindUnbound();
	}
	bindUnbound(): number {
		this.bound.add(this.#next);
		return this.#next++;
	}
	unbind(port: number): void {
		if (!this.bound.delete(port)) throw new Error(`Port ${port} is not bound`);
	}
	notify(port: number): void {
		if (!this.bound.has(port)) throw new Error(`Port ${port} is not bound`);
		this.notified.push(port);
	}
	keepAlive(wanted: boolean): void {
		this.alive = wanted;
	}
	close(): void {
		if (this.closed) throw new Error("Closed twice");
		this.closed = true;
	}
}

export class FakeMapper {
	static last: FakeMapper | undefined;
	readonly live = new Set<ArrayBuffer>();
	readonly calls: unknown[][] = [];
	closed = false;

	constructor() {
		FakeMapper.last = this;
	}
	map(...call: unknown[]): ArrayBuffer {
		this.calls.push(call);
		const buffer = new ArrayBuffer(4096);
		this.live.add(buffer);
		return buffer;
	}
	unmap(buffer: ArrayBuffer): boolean {
		return this.live.delete(buffer);
	}
	close(): void {
		if (this.live.size > 0) throw new Error("Closed with live mappings");
		this.closed = true;
	}
}

export const fakeRingsAddon: RingsAddon = {
	Evtchn: FakeEvtchn,
	Grants: FakeMapper,
	ForeignMemory: FakeMapper,
} as unknown as RingsAddon;
