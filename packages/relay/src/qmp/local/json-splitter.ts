import { ProtocolError } from "@bulkhead/base";
import { LineBuffer } from "@bulkhead/qmp";

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where the splitter is: between values, in one, in a string of one, behind a backslash there, or in what is no value. */
type Place = "between" | "value" | "string" | "escape" | "noise";

/**
 * Cuts a client's bytes into JSON objects and arrays by their brackets, as QEMU does: many clients end a command with a
 * newline, some with nothing. What is no object goes up to the end of its line, for the parser to refuse; so does a
 * string that a newline cuts. Memory is bounded by the limit and one chunk.
 */
export class JsonSplitter {
	readonly #limitBytes: number;
	readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	readonly #text = new LineBuffer();
	#place: Place = "between";
	#depth = 0;

	constructor(limitBytes: number) {
		this.#limitBytes = limitBytes;
	}

	/** @throws ProtocolError for what is too long or not UTF-8: nothing more may be pushed then */
	push(chunk: Uint8Array, deliver: (text: string) => void): void {
		let from = 0;
		for (let at = 0; at < chunk.length; at++) {
			const byte = chunk[at] as number;
			if (this.#place === "between" && !isSpace(byte)) from = at;
			if (!this.#endsWith(byte)) continue;
			this.#keep(chunk.subarray(from, at + 1));
			from = at + 1;
			deliver(this.#take());
		}
		if (this.#place !== "between") this.#keep(chunk.subarray(from));
	}

	/** Moves on by one byte; true when it is the last of something. */
	#endsWith(byte: number): boolean {
		switch (this.#place) {
			case "between":
				if (isSpace(byte)) return false;
				this.#place = isOpening(byte) ? "value" : "noise";
				this.#depth = 1;
				return false;
			case "noise":
				return byte === NEWLINE;
			case "escape":
				this.#place = "string";
				return false;
			case "string":
				if (byte === BACKSLASH) this.#place = "escape";
				else if (byte === QUOTE) this.#place = "value";
				return byte === NEWLINE;
			case "value":
				if (byte === QUOTE) this.#place = "string";
				else if (isOpening(byte)) this.#depth++;
				else if (isClosing(byte)) this.#depth--;
				return this.#depth === 0;
		}
	}

	#keep(part: Uint8Array): void {
		if (this.#text.length + part.length > this.#limitBytes)
			throw new ProtocolError(`QMP command is longer than ${this.#limitBytes} bytes`);
		this.#text.append(part);
	}

	#take(): string {
		const bytes = this.#text.take();
		this.#place = "between";
		try {
			return this.#decoder.decode(bytes);
		} catch (cause) {
			throw new ProtocolError("QMP command is not UTF-8", { cause });
		}
	}
}

function isSpace(byte: number): boolean {
	return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === NEWLINE;
}

function isOpening(byte: number): boolean {
	return byte === 0x7b || byte === 0x5b;
}

function isClosing(byte: number): boolean {
	return byte === 0x7d || byte === 0x5d;
}
