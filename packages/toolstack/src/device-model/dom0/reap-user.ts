import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { DeadlineError, delay } from "@bulkhead/base";

const POLL_MS = 50;

/**
 * Kills every process of a user that is a guest's own, and resolves when there is none. One call of kill(2) by that user
 * reaches all of its processes at once, which killing one after the other does not: they might multiply meanwhile. The
 * killer has the user's uid, so they may kill it first; then it is done again.
 * @throws DeadlineError when some are left
 */
export async function reapUser(uid: number, timeoutMs: number): Promise<void> {
	const limit = performance.now() + timeoutMs;
	for (;;) {
		const left = await processesOf(uid);
		if (left.length === 0) return;
		if (performance.now() > limit)
			throw new DeadlineError(`Processes of uid ${uid} do not end: ${left.slice(0, 10).join(", ")}`, {
				remedy: "See what they wait for: cat /proc/PID/stack",
				fields: { uid, processes: left },
			});
		await killAllAs(uid);
		await delay(POLL_MS);
	}
}

async function killAllAs(uid: number): Promise<void> {
	const args = [`--reuid=${uid}`, "--clear-groups", "--", "sh", "-c", "kill -KILL -1"];
	const child = spawn("setpriv", args, { stdio: "ignore", cwd: "/", env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } });
	await once(child, "close");
}

/** Processes with that uid in any of its kinds, without those that are over. */
async function processesOf(uid: number): Promise<number[]> {
	const found: number[] = [];
	for (const name of await readdir("/proc")) {
		if (!/^[0-9]+$/.test(name)) continue;
		const status = await readFile(`/proc/${name}/status`, "latin1").catch(() => "");
		if (runsAs(status, uid)) found.push(Number(name));
	}
	return found;
}

/** By /proc/PID/status (proc(5)): the lines Uid, with four uids, and State. */
export function runsAs(status: string, uid: number): boolean {
	if (/^State:\s+[ZX]/m.test(status)) return false;
	const uids = /^Uid:\s+(.+)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
	return uids.some((each) => each === `${uid}`);
}
