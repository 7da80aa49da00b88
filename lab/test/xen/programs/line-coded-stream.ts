import { Duplex } from "node:stream";

const MARK = ">";
const LONGEST_LINE = 1024 * 1024;

/**
 * Bytes over a console: each chunk as a marked line of base64, which a terminal leaves alone. Unmarked lines, such as a
 * kernel's messages, go to `onLine`.
 */
export class LineCodedStream extends Duplex {
	readonly #console: Duplex;
	#rest = "";

	constructor(console: Duplex, onLine: (line: string) => void = () => {}) {
		super();
		this.#console = console;
		console.on("data", (chunk: Buffer) => {
			const lines = (this.#rest + chunk.toString("latin1")).split(/[\r\n]+/);
			this.#rest = lines.pop() ?? "";
			if (this.#rest.length > LONGEST_LINE) this.destroy(new Error("A console's line does not end"));
			for (const line of lines)
				if (line.startsWith(MARK)) this.push(Buffer.from(line.slice(MARK.length), "base64"));
				else if (line !== "") onLine(line);
		});
		console.on("error", (error) => this.destroy(error));
		console.on("close", () => this.destroy());
	}

	override _read(): void {}

	override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
		this.#console.write(`${MARK}${chunk.toString("base64")}\n`, done);
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		this.#console.destroy();
		done(error);
	}
}
