import { ProtocolError } from "@bulkhead/base";

const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into lines of valid UTF-8, newline removed. A line above the limit, or bytes that are not UTF-8,
 * throw a ProtocolError: the connection is over. Memory is bounded by the limit and one chunk.
 */
export class LineSplitter {
	readonly #limitBytes: number;
	readonly #decoder = new TextDecoder("utf-8", { fatal: true });
	#parts: Uint8Array[] = [];
	#bytes = 0;

	constructor(limitBytes: number) {
		this.#limitBytes = limitBytes;
	}

	push(chunk: Uint8Array): string[] {
		const lines: string[] = [];
		let from = 0;
		for (let at = chunk.indexOf(NEWLINE, from); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
			this.#keep(chunk.subarray(from, at));
			lines.push(this.#takeLine());
			from = at + 1;
		}
		this.#keep(chunk.subarray(from));
		return lines;
	}

	#keep(part: Uint8Array): void {
		this.#bytes += part.length;
		if (this.#bytes > this.#limitBytes)
			throw new ProtocolError(`Line is longer than ${this.#limitBytes} bytes`, { fields: { limit: this.#limitBytes } });
		if (part.length > 0) this.#parts.push(part);
	}

	#takeLine(): string {
		const line = Buffer.concat(this.#parts);
		this.#parts = [];
		this.#bytes = 0;
		try {
			return this.#decoder.decode(line);
		} catch (error) {
			throw new ProtocolError("Line is not UTF-8", { cause: error });
		}
	}
}
