import { Readable, Writable } from "node:stream";
import { withDeadline } from "@bulkhead/base";
import { type CliIo, runCli } from "@bulkhead/cli";
import type { Lab } from "../../../src/lab.ts";
import type { Outcome, RunOptions } from "./dom0.ts";

/**
 * Runs `bulkhead` in this process, against dom0's daemon and dom0's files: a start of Node costs two emulated seconds.
 * Tests of the terminal, of signals and of the installed program run it in dom0 instead.
 */
export async function runBulkhead(
	lab: Lab,
	args: readonly string[],
	{ stdin = "", timeoutMs }: Required<Pick<RunOptions, "timeoutMs">> & RunOptions,
): Promise<Outcome> {
	const stdout = new Captured();
	const stderr = new Captured();
	const io: CliIo = {
		stdin: Readable.from(stdin),
		stdout,
		stderr,
		env: {},
		workingDirectory: "/",
		writeFile: () => Promise.reject(new Error("Nothing is written here")),
		runProgram: () => Promise.reject(new Error("No program is run here")),
		readFile: (path) => readInDom0(lab, path),
		onStop: () => () => {},
	};
	const end = runCli(["--socket", lab.paths.daemonSocket, ...args], io);
	// It cannot be stopped from outside: a late one goes on, and its test fails.
	const exitCode = await withDeadline(end, { timeoutMs, what: `bulkhead ${args.join(" ")}` }).catch((cause: Error) => {
		throw new Error(`${cause.message}: ${stderr.text}`, { cause });
	});
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
