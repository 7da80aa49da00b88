import { Readable, Writable } from "node:stream";
import { type CliIo, runCli } from "@bulkhead/cli";
import type { Lab } from "../../../src/lab.ts";
import type { Outcome } from "./dom0.ts";

/**
 * Runs `bulkhead` in this process, against dom0's daemon and dom0's files: a start of Node costs two emulated seconds.
 * Tests of the terminal, of signals and of the installed program run it in dom0 instead.
 */
export async function runBulkhead(lab: Lab, args: readonly string[], timeoutMs: number): Promise<Outcome> {
	const stdout = new Captured();
	const stderr = new Captured();
	const io: CliIo = {
		stdin: Readable.from([]),
		stdout,
		stderr,
		env: {},
		workingDirectory: "/",
		readFile: (path) => readInDom0(lab, path),
		onStop: () => () => {},
	};
	const line = ["--socket", lab.paths.daemonSocket, ...args];
	const exitCode = await within(timeoutMs, runCli(line, io), () => `bulkhead ${args.join(" ")}: ${stderr.text}`);
	return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

class Captured extends Writable {
	text = "";

	override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
		this.text += chunk.toString();
		done();
	}
}

async function* readInDom0(lab: Lab, path: string): AsyncIterable<Uint8Array> {
	const { stdout, exitCode } = await lab.exec(["cat", "--", path]);
	if (exitCode !== 0) throw Object.assign(new Error(`No ${path} in dom0`), { code: "ENOENT" });
	yield stdout;
}

/** A command line cannot be stopped from outside: it goes on, and its test fails. */
async function within<T>(ms: number, work: Promise<T>, describe: () => string): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`Waited ${ms} ms in vain for ${describe()}`)), ms);
	});
	return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
