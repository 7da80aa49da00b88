import type { Readable } from "node:stream";
import { AsyncQueue, CancelledError, ProtocolError } from "@bulkhead/base";

const LONGEST_LINE = 1024 * 1024;
const MOST_LINES = 1024;

/** Lines of a stream, whose other end is not trusted: each of bounded length, and so many unread ones. */
export class LineReader {
	readonly #lines = new AsyncQueue<string>({ limit: MOST_LINES });
	#rest: Buffer[] = [];
	#restBytes = 0;

	constructor(stream: Readable) {
		const gone = (): void => this.#lines.fail(new CancelledError("The channel is closed"));
		stream.on("data", (chunk: Buffer) => {
			try {
				this.#take(chunk);
			} catch (error) {
				this.#lines.fail(error);
				stream.destroy();
			}
		});
		stream.on("error", (error) => this.#lines.fail(error));
		stream.on("end", gone).on("close", gone);
	}

	/** The next line, without its end. @throws CancelledError when the stream is over, ProtocolError */
	async next(): Promise<string> {
		const result = await this.#lines.next();
		if (result.done) throw new CancelledError("The channel is closed");
		return result.value;
	}

	#take(chunk: Buffer): void {
		let from = 0;
		for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, from)) {
			this.#keep(chunk.subarray(from, at));
			const line = Buffer.concat(this.#rest).toString("utf8");
			this.#rest = [];
			this.#restBytes = 0;
			from = at + 1;
			if (!this.#lines.push(line.replace(/\r$/, ""))) throw new ProtocolError("Too many lines wait to be read");
		}
		this.#keep(chunk.subarray(from));
	}

	#keep(part: Buffer): void {
		this.#restBytes += part.length;
		if (this.#restBytes > LONGEST_LINE) throw new ProtocolError(`A line is longer than ${LONGEST_LINE} bytes`);
		if (part.length > 0) this.#rest.push(part);
	}
}
