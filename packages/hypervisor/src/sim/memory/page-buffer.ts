import { markAsUntransferable } from "node:worker_threads";

/** ECMAScript 2024; in V8 since Node 20. */
interface ResizableArrayBuffer extends ArrayBuffer {
	resize(bytes: number): void;
}

type ResizableArrayBufferConstructor = new (bytes: number, options: { maxByteLength: number }) => ResizableArrayBuffer;

/**
 * A buffer for pages that can be taken from whoever looks at it: shrunk to nothing, every view of it has length 0 and
 * Atomics refuse, as with the detached buffer of an unmapped page. Nobody else can move its memory away.
 */
export class PageBuffer {
	readonly buffer: ArrayBuffer;
	readonly #resizable: ResizableArrayBuffer;

	constructor(bytes: number) {
		const Resizable = ArrayBuffer as unknown as ResizableArrayBufferConstructor;
		this.#resizable = new Resizable(bytes, { maxByteLength: bytes });
		markAsUntransferable(this.#resizable);
		this.buffer = this.#resizable;
	}

	/** Its bytes are gone: copy them first. */
	takeAway(): void {
		this.#resizable.resize(0);
	}
}
