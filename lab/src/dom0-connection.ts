import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { CancelledError, DeadlineError } from "@bulkhead/base";
import { runProgram } from "@bulkhead/image";
import { type ExecOptions, type ExecResult, LabConnectionError, SSH_FAILED } from "./exec-result.ts";
import type { LabPaths } from "./lab-paths.ts";
import { remoteCommand, signalCommand } from "./remote-command.ts";
import { shellQuote } from "./shell-quote.ts";
import { SSH_DESTINATION, sshArgs } from "./ssh.ts";

const CONNECT_TIMEOUT_MS = 60_000;
/** Where bulkheadd listens in dom0. */
const DAEMON_SOCKET = "/run/bulkhead/bulkheadd.sock";
const SIGNAL_TIMEOUT_MS = 30_000;

/** A program running in dom0: the local ssh and a way to signal the far end. */
export interface RemoteProgram {
	/** The local ssh; its exit status is the program's. */
	child: ChildProcess;
	/** Sends a signal (`INT`, `TERM`, `KILL`) to the program and its children in dom0. */
	signal(name: string): Promise<void>;
}

/** Runs programs in dom0 over one kept ssh connection. */
export class Dom0Connection {
	readonly #paths: LabPaths;
	readonly #args: string[];
	readonly #open = new Set<ChildProcess>();

	constructor(paths: LabPaths, sshPort: number) {
		this.#paths = paths;
		this.#args = sshArgs(paths, sshPort);
	}

	/** Makes sure that the shared connection stands, with bulkheadd's socket; later programs cost no handshake. */
	async open(): Promise<void> {
		if (await this.isOpen()) return;
		await rm(this.#paths.sshSocket, { force: true });
		// Of several values ssh takes the first.
		const master = ["-o", "ControlMaster=yes", "-o", "ConnectTimeout=30", "-N", "-f"];
		const forward = ["-o", "StreamLocalBindUnlink=yes", "-L", `${this.#paths.daemonSocket}:${DAEMON_SOCKET}`];
		await new Promise<void>((resolve, reject) => {
			// Not runProgram: the background half would keep its pipes open for ever.
			const child = spawn("ssh", [...master, ...forward, ...this.#args, SSH_DESTINATION], {
				stdio: "ignore",
				detached: true,
			});
			const timer = setTimeout(() => child.kill("SIGKILL"), CONNECT_TIMEOUT_MS);
			child.once("error", reject).once("exit", (status) => {
				clearTimeout(timer);
				if (status === 0) resolve();
				else reject(new LabConnectionError("lab-unreachable", "Could not log in to the lab's dom0 over ssh"));
			});
		});
	}

	/** Whether the shared connection stands. */
	isOpen(): Promise<boolean> {
		return runProgram(["ssh", ...this.#args, "-O", "check", SSH_DESTINATION], { timeoutMs: 5_000 }).then(
			() => true,
			() => false,
		);
	}

	async close(): Promise<void> {
		await runProgram(["ssh", ...this.#args, "-O", "exit", SSH_DESTINATION], { timeoutMs: 5_000 }).catch(() => {});
		await rm(this.#paths.sshSocket, { force: true });
	}

	/** Starts a program in dom0 with exactly this argv. Local ssh does not see the terminal's Ctrl-C: forward it. */
	spawn(argv: readonly string[], stdio: SpawnOptions["stdio"] = "pipe"): RemoteProgram {
		const execId = randomBytes(6).toString("hex");
		const child = spawn("ssh", [...this.#args, SSH_DESTINATION, remoteCommand(argv, execId)], {
			stdio,
			detached: true,
		});
		const signal = async (name: string): Promise<void> => {
			const line = signalCommand(execId, name);
			await runProgram(["ssh", ...this.#args, SSH_DESTINATION, line], { timeoutMs: SIGNAL_TIMEOUT_MS }).catch(() => {});
		};
		this.#open.add(child);
		child.once("close", () => this.#open.delete(child));
		return { child, signal };
	}

	/** Lets go of programs that this object started; the shared connection stays for others. */
	releasePrograms(): void {
		for (const child of this.#open) child.kill();
	}

	/** A program on a terminal of its own in dom0, by default a shell. */
	terminal(argv: readonly string[] = ["bash", "-l"]): ChildProcess {
		return spawn("ssh", [...this.#args, "-tt", SSH_DESTINATION, `exec ${shellQuote(argv)}`], { stdio: "inherit" });
	}

	/** Runs a program in dom0 to its end. @throws LabConnectionError, DeadlineError, CancelledError */
	async exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
		const { timeoutMs = 60_000, signal, stdin } = options;
		if (signal?.aborted) throw new CancelledError(`Did not start ${argv[0]} in dom0`, { cause: signal.reason });
		const remote = this.spawn(argv);
		const { child } = remote;
		const out: Buffer[] = [];
		const err: Buffer[] = [];
		child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
		child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
		child.stdin?.on("error", () => {});
		child.stdin?.end(stdin ?? "");
		let failure: Error | undefined;
		const stop = (error: Error): void => {
			failure ??= error;
			void remote.signal("KILL").finally(() => child.kill("SIGKILL"));
		};
		const what = printableArgv(argv);
		const timer = setTimeout(() => {
			const stderr = Buffer.concat(err).toString("utf8");
			stop(new DeadlineError(`${what} in dom0 did not end within ${timeoutMs} ms`, { fields: { argv, stderr } }));
		}, timeoutMs);
		const onAbort = (): void => stop(new CancelledError(`Stopped ${what} in dom0`, { cause: signal?.reason }));
		signal?.addEventListener("abort", onAbort, { once: true });
		try {
			const exitCode = await new Promise<number>((resolve, reject) => {
				child.once("error", reject).once("close", (status) => resolve(status ?? SSH_FAILED));
			});
			if (failure) throw failure;
			const stderr = Buffer.concat(err).toString("utf8");
			if (exitCode === SSH_FAILED && !(await this.isOpen())) {
				throw new LabConnectionError("lab-unreachable", `Lost the lab's dom0 while running ${what}: ${stderr.trim()}`, {
					remedy: "See `npm run lab -- status` and `npm run lab -- logs serial`",
				});
			}
			return { stdout: Buffer.concat(out), stderr, exitCode };
		} finally {
			clearTimeout(timer);
			signal?.removeEventListener("abort", onAbort);
		}
	}
}

function printableArgv(argv: readonly string[]): string {
	const text = argv.join(" ");
	return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
