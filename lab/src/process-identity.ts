import { readFile } from "node:fs/promises";

/** A process id alone may be reused; with the start time it may not. */
export interface ProcessIdentity {
	pid: number;
	/** Field 22 of /proc/PID/stat: clock ticks since the machine booted. */
	startTicks: string;
}

export async function findProcessIdentity(pid: number): Promise<ProcessIdentity | undefined> {
	const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
	// The name, in parentheses, may hold anything: count fields after the last one. Field 3 is the state.
	const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
	const startTicks = fields?.[22 - 3];
	if (startTicks === undefined || fields?.[0] === "Z") return undefined;
	return { pid, startTicks };
}

export async function isSameProcess(identity: ProcessIdentity): Promise<boolean> {
	return (await findProcessIdentity(identity.pid))?.startTicks === identity.startTicks;
}
