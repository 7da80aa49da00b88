import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";

export type TerminalOutput = Writable & { isTTY?: boolean; columns?: number };
export type TerminalInput = Readable & { isTTY?: boolean; setRawMode?: (raw: boolean) => unknown };
export type StopSignal = "SIGINT" | "SIGTERM";

/** Everything of the process that a command may touch. */
export interface CliIo {
	stdin: TerminalInput;
	stdout: TerminalOutput;
	stderr: TerminalOutput;
	env: Readonly<Record<string, string | undefined>>;
	/** Absolute. */
	workingDirectory: string;
	/** The bytes of a file that the command line names. */
	readFile(path: string): AsyncIterable<Uint8Array>;
	/** Makes a file, or writes over it. */
	writeFile(path: string, bytes: Uint8Array): Promise<void>;
	/** Runs a program of the user's with this terminal. Resolves with its exit code when it has ended; a signal counts as 1. */
	runProgram(path: string, args: readonly string[]): Promise<number>;
	/** Calls back for each SIGINT or SIGTERM until the answer is called; meanwhile they do not end the process. */
	onStop(listener: (signal: StopSignal) => void): () => void;
}

/** The real process. */
export function processIo(): CliIo {
	return {
		stdin: process.stdin,
		stdout: process.stdout,
		stderr: process.stderr,
		env: process.env,
		workingDirectory: process.cwd(),
		readFile: (path) => createReadStream(path),
		writeFile: (path, bytes) => writeFile(path, bytes),
		runProgram: (path, args) =>
			new Promise((resolve, reject) => {
				spawn(path, args, { stdio: "inherit" })
					.once("error", reject)
					.once("exit", (code) => resolve(code ?? 1));
			}),
		onStop(listener) {
			const signals: StopSignal[] = ["SIGINT", "SIGTERM"];
			for (const signal of signals) process.on(signal, listener);
			return () => {
				for (const signal of signals) process.off(signal, listener);
			};
		},
	};
}
