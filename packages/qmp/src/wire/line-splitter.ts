import { ProtocolError } from "@bulkhead/base";
import { LineBuffer } from "./line-buffer.ts";

const NEWLINE = 0x0a;

/**
 * Cuts QEMU's bytes into lines of valid UTF-8 (docs/interop/qmp-spec: one JSON object per line, ended by CR LF). Memory
 * is bounded by the limit and one chunk. After an error it takes no more.
 */
export class LineSplitter {
	readonly #limitBytes: number;
	readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	readonly #line = new LineBuffer();
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
		if (this.#line.length + part.length > this.#limitBytes)
			this.#refuse(`QMP message is longer than ${this.#limitBytes} bytes`);
		this.#line.append(part);
	}

	#takeLine(): string {
		const bytes = this.#line.take();
		try {
			return this.#decoder.decode(bytes);
		} catch (cause) {
			return this.#refuse("QMP message is not UTF-8", cause);
		}
	}

	#refuse(message: string, cause?: unknown): never {
		this.#line.take();
		this.#refusal = new ProtocolError(message, { cause });
		throw this.#refusal;
	}
}
