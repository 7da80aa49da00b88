import { spawn } from "node:child_process";
import { access, constants, stat } from "node:fs/promises";
import { CancelledError, DeadlineError, errnoOf } from "@bulkhead/base";
import { HypervisorError } from "../errors.ts";
import type { HotplugCall, HotplugOutcome, HotplugScripts } from "../ports/hotplug-scripts.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Of what a script prints, as much as an error can use. */
const MOST_OUTPUT = 4096;

/** Scripts as child processes of this one, each a process group of its own. */
export class NativeHotplugScripts implements HotplugScripts {
	async problem(path: string): Promise<string | undefined> {
		try {
			if (!(await stat(path)).isFile()) return "is not a regular file";
			await access(path, constants.X_OK);
			return undefined;
		} catch (error) {
			const errno = errnoOf(error);
			return errno === "ENOENT" ? "does not exist" : errno === "EACCES" ? "may not be run" : `cannot be run (${errno})`;
		}
	}

	run({ path, args, env, timeoutMs, signal }: HotplugCall): Promise<HotplugOutcome> {
		if (signal?.aborted)
			return Promise.reject(new CancelledError(`Did not run ${path}`, { cause: signal.reason as unknown }));
		return new Promise((resolve, reject) => {
			const child = spawn(path, args, {
				env: { PATH, ...env },
				cwd: "/",
				stdio: ["ignore", "pipe", "pipe"],
				detached: true,
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
				() => stop(new DeadlineError(`The script ${path} took longer than ${timeoutMs} ms`, { fields: { path } })),
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
				reject(new HypervisorError(`The script ${path} could not be started: ${errno}`, { cause, errno }));
			});
			// Not "close": what the script leaves running in the background may hold its outputs open for ever.
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
}

function killGroup(pid: number | undefined): void {
	if (pid === undefined) return;
	try {
		process.kill(-pid, "SIGKILL");
	} catch {
		// It has ended meanwhile.
	}
}
