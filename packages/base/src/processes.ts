import { readdir, readFile } from "node:fs/promises";
import { delay } from "./deadline.ts";
import { DeadlineError } from "./errors.ts";

/** A process of this machine that cannot be mistaken for a later one with its number. */
export interface ProcessIdentity {
	pid: number;
	/** When it began, in clock ticks since the machine did: field 22 of /proc/PID/stat. */
	startTime: string;
}

const POLL_MS = 100;

/** @returns undefined when there is no such process, or only what is left of one until its parent looks (a zombie) */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
	const line = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
	// The name, in brackets, may hold anything.
	const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
	const startTime = fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
	return startTime === undefined ? undefined : { pid, startTime };
}

export async function isRunning({ pid, startTime }: ProcessIdentity): Promise<boolean> {
	return (await identifyProcess(pid))?.startTime === startTime;
}

/** Resolves when the process is over. It need not be a child of this one, so there is no event to wait for. */
export async function awaitProcessEnd(process: ProcessIdentity, signal: AbortSignal): Promise<void> {
	while (await isRunning(process)) await delay(POLL_MS, signal);
}

/** Whether a process ends within a time, asked again and again. */
export async function endsWithin(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
	const limit = performance.now() + timeoutMs;
	while (await isRunning(identity)) {
		if (performance.now() > limit) return false;
		await delay(POLL_MS);
	}
	return true;
}

export interface StopProcess {
	/** For words: "QEMU". */
	title: string;
	graceMs: number;
	killMs: number;
}

/**
 * Ends a process: asks it to, and kills it when it does not. Resolves when it is over, at once when it has been.
 * @throws DeadlineError when not even killing helps
 */
export async function stopProcess(identity: ProcessIdentity, { title, graceMs, killMs }: StopProcess): Promise<void> {
	for (const [signal, patienceMs] of [
		["SIGTERM", graceMs],
		["SIGKILL", killMs],
	] as const) {
		if (!(await isRunning(identity))) return;
		send(identity.pid, signal);
		if (await endsWithin(identity, patienceMs)) return;
	}
	throw new DeadlineError(`${title} (process ${identity.pid}) does not end`, {
		remedy: "See what it waits for: cat /proc/PID/stack",
		fields: { pid: identity.pid },
	});
}

/**
 * The process whose command line has exactly this argument: one that was started just before its number was written down.
 * `uid`: only one of that user's, since anybody may put anything on a command line.
 */
export async function findProcess(argument: string, uid?: number): Promise<ProcessIdentity | undefined> {
	for (const name of await readdir("/proc")) {
		if (!/^[0-9]+$/.test(name)) continue;
		const line = await readFile(`/proc/${name}/cmdline`, "latin1").catch(() => "");
		if (!line.split("\0").includes(argument) || (uid !== undefined && !(await belongsTo(name, uid)))) continue;
		const found = await identifyProcess(Number(name));
		if (found) return found;
	}
	return undefined;
}

async function belongsTo(pid: string, uid: number): Promise<boolean> {
	const status = await readFile(`/proc/${pid}/status`, "latin1").catch(() => "");
	return new RegExp(`^Uid:\\s+${uid}\\s+${uid}\\s`, "m").test(status);
}

function send(pid: number, signal: NodeJS.Signals): void {
	try {
		process.kill(pid, signal);
	} catch {
		// It has ended meanwhile.
	}
}
