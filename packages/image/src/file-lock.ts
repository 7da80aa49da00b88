import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable, Writable } from "node:stream";
import { BulkheadError, CancelledError, DeadlineError } from "@bulkhead/base";

/**
 * An exclusive lock on a file, held by a child `flock` whose standard input is our pipe: when this process dies in any
 * way the pipe closes, the child ends and the kernel drops the lock, so there are no stale locks to recognise.
 */
export class FileLock implements AsyncDisposable {
	readonly #holder: ChildProcessByStdio<Writable, Readable, null>;

	private constructor(holder: ChildProcessByStdio<Writable, Readable, null>) {
		this.#holder = holder;
	}

	/** @throws DeadlineError when another process keeps the lock for `timeoutMs`; CancelledError */
	static async acquire(path: string, options: { timeoutMs: number; signal?: AbortSignal }): Promise<FileLock> {
		const { timeoutMs, signal } = options;
		const cancelled = (): CancelledError =>
			new CancelledError(`Stopped waiting for the lock ${path}`, { cause: signal?.reason });
		if (signal?.aborted) throw cancelled();
		await mkdir(dirname(path), { recursive: true });
		const seconds = String(Math.max(timeoutMs, 1) / 1000);
		const holder = spawn("flock", ["--no-fork", "--timeout", seconds, path, "sh", "-c", "echo held; exec cat"], {
			stdio: ["pipe", "pipe", "inherit"],
			// Ctrl-C in a terminal goes to the whole process group: the lock must outlast what we do about it.
			detached: true,
		});
		holder.stdin.on("error", () => {});
		const onAbort = (): void => void holder.kill();
		signal?.addEventListener("abort", onAbort, { once: true });
		try {
			await new Promise<void>((resolve, reject) => {
				holder.once("error", (cause) => reject(new BulkheadError("lock-failed", "Could not start flock", { cause })));
				holder.stdout.once("data", () => resolve());
				holder.once("exit", () => {
					const sentence = `Another process holds ${path} for more than ${timeoutMs} ms`;
					reject(signal?.aborted ? cancelled() : new DeadlineError(sentence, { fields: { path, timeoutMs } }));
				});
			});
		} finally {
			signal?.removeEventListener("abort", onAbort);
		}
		return new FileLock(holder);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
		const gone = new Promise<void>((resolve) => this.#holder.once("exit", () => resolve()));
		this.#holder.stdin.end();
		await gone;
	}
}
