import { ProtocolError } from "@bulkhead/base";

const NEWLINE = 0x0a;

/**
 * Cuts QEMU's bytes into lines of valid UTF-8 (docs/interop/qmp-spec: one JSON object per line, ended by CR LF). Memory
 * is bounded by the limit and one chunk. After an error it takes no more.
 */
export class LineSplitter {
	readonly #limitBytes: number;
	readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	#parts: Uint8Array[] = [];
	#bytes = 0;
	#refusal: ProtocolError | undefined;

	constructor(limitBytes: number) {
		this.#limitBytes = limitBytes;
	}

	/** @throws ProtocolError for a line that is too long or not UTF-8, after delivering the lines before it */
	push(chunk: Uint8Array, deliver: (line: string) => void): void {
		if (this.#refusal) throw this.#refusal;
		let from = 0;
		for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
			this.#keep(chunk.subarray(from, at));
			from = at + 1;
			deliver(this.#takeLine());
		}
		this.#keep(chunk.subarray(from));
	}

	#keep(part: Uint8Array): void {
		if (this.#bytes + part.length > this.#limitBytes)
			this.#refuse(`QMP message is longer than ${this.#limitBytes} bytes`);
		if (part.length === 0) return;
		// A copy: a caller may use its buffer again, and a slice would keep all of it alive.
		this.#parts.push(Uint8Array.from(part));
		this.#bytes += part.length;
	}

	#takeLine(): string {
		const bytes = Buffer.concat(this.#parts);
		this.#parts = [];
		this.#bytes = 0;
		try {
			return this.#decoder.decode(bytes);
		} catch (cause) {
			return this.#refuse("QMP message is not UTF-8", cause);
		}
	}

	#refuse(message: string, cause?: unknown): never {
		this.#parts = [];
		this.#refusal = new ProtocolError(message, { cause });
		throw this.#refusal;
	}
}
