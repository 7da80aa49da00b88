import { spawn } from "node:child_process";
import { BulkheadError, DeadlineError } from "@bulkhead/base";

export interface RunOptions {
	cwd?: string;
	env?: NodeJS.ProcessEnv;
	/** Bytes for standard input; without them the program reads end of file. */
	stdin?: Uint8Array | string;
	/** Milliseconds after which the program is killed and the call fails. */
	timeoutMs: number;
	/** Longest standard output kept, in bytes; more is an error. 64 MiB unless told. */
	maxOutputBytes?: number;
}

export interface RunResult {
	stdout: Buffer;
	stderr: string;
}

/** A program ended with a status other than 0, or could not be started. `fields`: program, exitCode, signal, stderr. */
export class ProgramFailedError extends BulkheadError {}

const DEFAULT_MAX_OUTPUT = 64 << 20;
const STDERR_KEPT = 16 << 10;

/**
 * Runs a program of the machine to its end, without a shell.
 * @throws ProgramFailedError, DeadlineError
 */
export function runProgram(argv: readonly [string, ...string[]], options: RunOptions): Promise<RunResult> {
	const [program, ...args] = argv;
	const maxOutput = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT;
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, { cwd: options.cwd, env: options.env, stdio: ["pipe", "pipe", "pipe"] });
		const out: Buffer[] = [];
		let outBytes = 0;
		let stderr = "";
		let failure: Error | undefined;
		const timer = setTimeout(() => {
			failure = new DeadlineError(`${program} did not end within ${options.timeoutMs} ms`, { fields: { program } });
			child.kill("SIGKILL");
		}, options.timeoutMs);
		child.stdout.on("data", (chunk: Buffer) => {
			outBytes += chunk.length;
			if (outBytes > maxOutput) {
				failure ??= new ProgramFailedError("program-output", `${program} printed more than ${maxOutput} bytes`);
				child.kill("SIGKILL");
			} else out.push(chunk);
		});
		child.stderr.on("data", (chunk: Buffer) => {
			stderr = (stderr + chunk.toString("utf8")).slice(-STDERR_KEPT);
		});
		// A program that ends without reading its input closes the pipe: its exit status tells what happened.
		child.stdin.on("error", () => {});
		child.stdin.end(options.stdin ?? "");
		child.on("error", (cause) => {
			clearTimeout(timer);
			reject(
				new ProgramFailedError("program-missing", `Could not start ${program}`, {
					cause,
					remedy: `Install ${program}, or run tools/setup`,
				}),
			);
		});
		child.on("close", (exitCode, signal) => {
			clearTimeout(timer);
			if (failure) reject(failure);
			else if (exitCode === 0) resolve({ stdout: Buffer.concat(out), stderr });
			else {
				const last = stderr.trim().split("\n").slice(-3).join("; ");
				reject(
					new ProgramFailedError(
						"program-failed",
						`${program} failed with ${signal ?? `status ${exitCode}`}${last ? `: ${last}` : ""}`,
						{ fields: { program, args, exitCode, signal, stderr } },
					),
				);
			}
		});
	});
}
