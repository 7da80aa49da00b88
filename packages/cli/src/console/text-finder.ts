/** Finds a text in a stream of bytes, however it is cut. */
export class TextFinder {
	readonly #wanted: Buffer;
	#rest: Uint8Array = new Uint8Array(0);
	#found = false;

	constructor(text: string) {
		this.#wanted = Buffer.from(text);
	}

	get found(): boolean {
		return this.#found;
	}

	/** Whether the text has come by now. */
	push(chunk: Uint8Array): boolean {
		const bytes = Buffer.concat([this.#rest, chunk]);
		this.#found ||= bytes.includes(this.#wanted);
		this.#rest = bytes.subarray(Math.max(0, bytes.length - this.#wanted.length + 1));
		return this.#found;
	}
}
