import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { BulkheadError, withDeadline } from "@bulkhead/base";

const ANSWER_TIMEOUT_MS = 300_000;

interface Spawner {
	spawn(argv: readonly string[]): ChildProcess;
}

/** A program, in dom0 or here, that answers each line with a line. It ends with its input. */
export class LineProgram {
	readonly #child: ChildProcess;
	readonly #lines: AsyncIterator<string>;
	readonly #name: string;

	private constructor(name: string, child: ChildProcess) {
		if (!child.stdin || !child.stdout || !child.stderr) throw new TypeError("The program has no pipes");
		this.#name = name;
		this.#child = child;
		child.stdin.on("error", () => {});
		child.stderr.pipe(process.stderr, { end: false });
		this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	}

	static start(place: Spawner, name: string, argv: readonly string[]): LineProgram {
		return new LineProgram(name, place.spawn(argv));
	}

	/** The next line that it prints. @throws BulkheadError when it has ended; DeadlineError */
	async next(): Promise<string> {
		const what = `an answer of ${this.#name}`;
		const line = await withDeadline(this.#lines.next(), { timeoutMs: ANSWER_TIMEOUT_MS, what });
		if (line.done) throw new BulkheadError("bench-program-ended", `Program ${this.#name} has ended`);
		return line.value;
	}

	ask(line: string): Promise<string> {
		this.#child.stdin?.write(`${line}\n`);
		return this.next();
	}

	async close(): Promise<void> {
		const ended = this.#child.exitCode === null && new Promise((resolve) => this.#child.once("close", resolve));
		this.#child.stdin?.end();
		if (!ended) return;
		await withDeadline(ended, { timeoutMs: 10_000, what: `the end of ${this.#name}` }).catch(() => this.#child.kill());
	}
}
