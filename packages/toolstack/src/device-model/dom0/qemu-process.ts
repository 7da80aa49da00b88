import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { DeadlineError, delay } from "@bulkhead/base";
import { DeviceModelError } from "../../errors.ts";

/** A process of this machine that cannot be mistaken for a later one with its number. */
export interface ProcessIdentity {
	pid: number;
	/** When it began, in clock ticks since the machine did: field 22 of /proc/PID/stat. */
	startTime: string;
}

export interface StartQemu {
	binary: string;
	args: readonly string[];
	env: Readonly<Record<string, string>>;
	/** Open for appending: its standard output and error. */
	logFd: number;
}

const POLL_MS = 100;

/**
 * Starts a QEMU that outlives this process: in a session of its own, without standard input, with the given environment
 * and no other. @throws DeviceModelError when it cannot be started at all
 */
export async function startQemu({ binary, args, env, logFd }: StartQemu): Promise<ProcessIdentity> {
	const child = spawn(binary, args, { detached: true, stdio: ["ignore", logFd, logFd], env, cwd: "/" });
	child.unref();
	const started = await new Promise<Error | undefined>((resolve) => {
		child.once("spawn", () => resolve(undefined));
		child.on("error", resolve);
	});
	if (started || child.pid === undefined)
		throw new DeviceModelError(`Cannot start ${JSON.stringify(binary)}`, {
			cause: started,
			remedy: "Install qemu-system-xen, or correct device_model_override",
		});
	const startTime = await startTimeOf(child.pid);
	if (startTime === undefined) throw new DeviceModelError("QEMU ended as soon as it was started");
	return { pid: child.pid, startTime };
}

export async function isRunning({ pid, startTime }: ProcessIdentity): Promise<boolean> {
	return (await startTimeOf(pid)) === startTime;
}

/** Resolves when the process is over. It need not be a child of this one, so there is no event to wait for. */
export async function awaitProcessEnd(process: ProcessIdentity, signal: AbortSignal): Promise<void> {
	while (await isRunning(process)) await delay(POLL_MS, signal);
}

/**
 * Ends a process: asks it to (QEMU then writes out what it holds of disks), and kills it when it does not. Resolves when
 * it is over, at once when it has been. @throws DeadlineError when not even killing helps
 */
export async function stopProcess(
	identity: ProcessIdentity,
	{ graceMs, killMs }: { graceMs: number; killMs: number },
): Promise<void> {
	for (const [signal, patienceMs] of [
		["SIGTERM", graceMs],
		["SIGKILL", killMs],
	] as const) {
		if (!(await isRunning(identity))) return;
		send(identity.pid, signal);
		const limit = performance.now() + patienceMs;
		while (await isRunning(identity)) {
			if (performance.now() > limit) break;
			await delay(POLL_MS);
		}
	}
	if (await isRunning(identity))
		throw new DeadlineError(`QEMU (process ${identity.pid}) does not end`, {
			remedy: "See what it waits for: cat /proc/PID/stack",
			fields: { pid: identity.pid },
		});
}

/** The process whose command line has exactly this argument: one that was started just before its number was written down. */
export async function findProcess(argument: string): Promise<ProcessIdentity | undefined> {
	for (const name of await readdir("/proc")) {
		if (!/^[0-9]+$/.test(name)) continue;
		const line = await readFile(`/proc/${name}/cmdline`, "latin1").catch(() => "");
		if (!line.split("\0").includes(argument)) continue;
		const startTime = await startTimeOf(Number(name));
		if (startTime !== undefined) return { pid: Number(name), startTime };
	}
	return undefined;
}

/** Undefined when there is no such process, or only what is left of one until its parent looks (a zombie). */
async function startTimeOf(pid: number): Promise<string | undefined> {
	const line = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
	// The name, in brackets, may hold anything.
	const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
	return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

function send(pid: number, signal: NodeJS.Signals): void {
	try {
		process.kill(pid, signal);
	} catch {
		// It has ended meanwhile.
	}
}
