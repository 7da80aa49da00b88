import { type ChildProcess, spawn } from "node:child_process";
import { BulkheadError, CancelledError, DeadlineError } from "@bulkhead/base";

export interface RunOptions {
	cwd?: string;
	env?: NodeJS.ProcessEnv;
	/** Bytes for standard input; without them the program reads end of file. */
	stdin?: Uint8Array | string;
	/** Milliseconds after which the program is killed and the call fails. */
	timeoutMs: number;
	/** Longest standard output kept, in bytes; more is an error. 64 MiB unless told. */
	maxOutputBytes?: number;
	/** Ends the program and fails the call. */
	signal?: AbortSignal;
	/** The program leads a process group of its own, so that a time-out or an abort also ends what it has started. */
	group?: boolean;
	/** Is told of standard output as it comes; it is kept none the less. */
	onStdout?: (chunk: Buffer) => void;
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
 * @throws ProgramFailedError, DeadlineError, CancelledError
 */
export function runProgram(argv: readonly [string, ...string[]], options: RunOptions): Promise<RunResult> {
	const [program, ...args] = argv;
	const { cwd, env, signal, group = false, maxOutputBytes: maxOutput = DEFAULT_MAX_OUTPUT } = options;
	return new Promise((resolve, reject) => {
		const cancelled = (): CancelledError => new CancelledError(`Stopped ${program}`, { cause: signal?.reason });
		if (signal?.aborted) {
			reject(cancelled());
			return;
		}
		const child = spawn(program, args, { cwd, env, detached: group, stdio: ["pipe", "pipe", "pipe"] });
		const end = (because: Error): void => {
			failure ??= because;
			killProcess(child, group);
		};
		const out: Buffer[] = [];
		let outBytes = 0;
		let stderr = "";
		let failure: Error | undefined;
		const timer = setTimeout(
			() => end(new DeadlineError(`${program} did not end within ${options.timeoutMs} ms`, { fields: { program } })),
			options.timeoutMs,
		);
		const onAbort = (): void => end(cancelled());
		signal?.addEventListener("abort", onAbort, { once: true });
		const settle = (): void => {
			clearTimeout(timer);
			signal?.removeEventListener("abort", onAbort);
		};
		child.stdout.on("data", (chunk: Buffer) => {
			outBytes += chunk.length;
			if (outBytes > maxOutput)
				end(new ProgramFailedError("program-output", `${program} printed more than ${maxOutput} bytes`));
			else out.push(chunk);
			options.onStdout?.(chunk);
		});
		child.stderr.on("data", (chunk: Buffer) => {
			stderr = (stderr + chunk.toString("utf8")).slice(-STDERR_KEPT);
		});
		// A program that ends without reading its input closes the pipe: its exit status tells what happened.
		child.stdin.on("error", () => {});
		child.stdin.end(options.stdin ?? "");
		child.on("error", (cause) => {
			settle();
			reject(
				new ProgramFailedError("program-missing", `Could not start ${program}`, {
					cause,
					remedy: `Install ${program}, or run tools/setup`,
				}),
			);
		});
		child.on("close", (exitCode, killedBy) => {
			settle();
			if (failure) reject(failure);
			else if (exitCode === 0) resolve({ stdout: Buffer.concat(out), stderr });
			else {
				const last = stderr.trim().split("\n").slice(-3).join("; ");
				reject(
					new ProgramFailedError(
						"program-failed",
						`${program} failed with ${killedBy ?? `status ${exitCode}`}${last ? `: ${last}` : ""}`,
						{ fields: { program, args, exitCode, signal: killedBy, stderr } },
					),
				);
			}
		});
	});
}

function killProcess(child: ChildProcess, group: boolean): void {
	if (!group || child.pid === undefined) {
		child.kill("SIGKILL");
		return;
	}
	try {
		process.kill(-child.pid, "SIGKILL");
	} catch (error) {
		// Nobody is left in it.
		if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
	}
}
