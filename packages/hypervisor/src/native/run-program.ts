import { spawn } from "node:child_process";
import { CancelledError, DeadlineError, errnoOf } from "@bulkhead/base";
import { HypervisorError } from "../errors.ts";
import type { HotplugCall, HotplugOutcome } from "../ports/hotplug-scripts.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Of what a program prints, as much as an error can use. */
const MOST_OUTPUT = 4096;

export interface RunProgram extends HotplugCall {
	/** For words: "The script /etc/…". */
	title: string;
	/** Whom it runs as, without further groups. Default: as this process. */
	user?: { uid: number; gid: number };
}

/**
 * Runs a program in a process group of its own until it exits; what it leaves in the background runs on.
 * @throws DeadlineError, CancelledError (it is killed with its group), HypervisorError when it cannot be started
 */
export function runProgram(call: RunProgram): Promise<HotplugOutcome> {
	const { title, path, args, env, timeoutMs, signal, user } = call;
	if (signal?.aborted)
		return Promise.reject(new CancelledError(`Did not run ${path}`, { cause: signal.reason as unknown }));
	return new Promise((resolve, reject) => {
		const child = spawn(path, args, {
			env: { PATH, ...env },
			cwd: "/",
			stdio: ["ignore", "pipe", "pipe"],
			detached: true,
			...user,
		});
		let output = "";
		const collect = (chunk: Buffer): void => {
			output = (output + chunk.toString("latin1")).slice(-MOST_OUTPUT);
		};
		child.stdout.on("data", collect);
		child.stderr.on("data", collect);
		let end: Error | undefined;
		const stop = (reason: Error): void => {
			end ??= reason;
			killGroup(child.pid);
		};
		const timer = setTimeout(
			() => stop(new DeadlineError(`${title} took longer than ${timeoutMs} ms`, { fields: { path } })),
			timeoutMs,
		);
		const onAbort = (): void => stop(new CancelledError(`Stopped ${path}`, { cause: signal?.reason as unknown }));
		signal?.addEventListener("abort", onAbort, { once: true });
		const settle = (): void => {
			clearTimeout(timer);
			signal?.removeEventListener("abort", onAbort);
		};
		child.once("error", (cause) => {
			settle();
			const errno = errnoOf(cause) ?? "";
			reject(new HypervisorError(`${title} could not be started: ${errno}`, { cause, errno }));
		});
		// Not "close": what it leaves running in the background may hold its outputs open for ever.
		child.once("exit", (code) => {
			settle();
			setImmediate(() => {
				child.stdout.destroy();
				child.stderr.destroy();
				if (end) reject(end);
				else resolve({ exitCode: code ?? undefined, output });
			});
		});
	});
}

function killGroup(pid: number | undefined): void {
	if (pid === undefined) return;
	try {
		process.kill(-pid, "SIGKILL");
	} catch {
		// It has ended meanwhile.
	}
}
