import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { PassThrough, Writable } from "node:stream";
import { type CliIo, runCli } from "../src/index.ts";

type StopListener = Parameters<CliIo["onStop"]>[0];

interface FakeInput extends PassThrough {
	isTTY?: boolean;
	setRawMode?: (raw: boolean) => void;
}

interface FakeOutput extends Writable {
	isTTY?: boolean;
	columns?: number;
}

/** A process's surroundings that remember what was written and let a test press keys. */
export class CapturedIo implements CliIo {
	readonly stdin: FakeInput = new PassThrough();
	readonly stdout: FakeOutput;
	readonly stderr: FakeOutput;
	readonly env: Record<string, string | undefined> = {};
	workingDirectory = "/base";
	readonly readFile = (path: string): AsyncIterable<Uint8Array> => createReadStream(path);
	readonly writeFile = (path: string, bytes: Uint8Array): Promise<void> => writeFile(path, bytes);
	/** What programs have been run, as one line each. */
	readonly programs: string[] = [];
	out = "";
	readonly outBytes: Buffer[] = [];
	err = "";
	readonly #stopListeners = new Set<StopListener>();
	readonly #waiting = new Set<() => void>();

	constructor() {
		this.stdout = this.#capture((text, bytes) => {
			this.out += text;
			this.outBytes.push(bytes);
		});
		this.stderr = this.#capture((text) => {
			this.err += text;
		});
	}

	runProgram(path: string, args: readonly string[]): Promise<number> {
		this.programs.push([path, ...args].join(" "));
		return new Promise((resolve) => {
			execFile(path, args, (error) => resolve(typeof error?.code === "number" ? error.code : 0));
		});
	}

	onStop(listener: StopListener): () => void {
		this.#stopListeners.add(listener);
		return () => this.#stopListeners.delete(listener);
	}

	get listening(): boolean {
		return this.#stopListeners.size > 0;
	}

	signal(signal: Parameters<StopListener>[0]): void {
		for (const listener of [...this.#stopListeners]) listener(signal);
	}

	/** Resolves when the condition holds after some output; the test's own timeout is the deadline. */
	async until(condition: () => boolean): Promise<void> {
		while (!condition()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
	}

	#capture(keep: (text: string, bytes: Buffer) => void): Writable {
		return new Writable({
			write: (chunk: Buffer, _, callback) => {
				keep(chunk.toString(), chunk);
				callback();
				for (const resolve of this.#waiting) resolve();
				this.#waiting.clear();
			},
		});
	}
}

export interface Outcome {
	code: number;
	out: string;
	err: string;
}

export async function run(io: CapturedIo, socketPath: string, ...args: string[]): Promise<Outcome> {
	const code = await runCli(["--socket", socketPath, ...args], io);
	return { code, out: io.out, err: io.err };
}
