import { appendFile } from "node:fs/promises";
import { delay } from "@bulkhead/base";
import { Lab } from "../../src/lab.ts";

const LOOK_EVERY_MS = 15_000;
const ANSWER_MS = 45_000;
/** A line for each machine that the emulator lost: tools/run-tests.ts runs again what that made fail. */
const LOST_MACHINES = process.env.BULKHEAD_LOST_MACHINES;

const onProgress = (line: string): void => void process.stderr.write(`lab: ${line}\n`);

/** All tests of this project share one lab: one that is up already, or one booted for them and shut down after. */
export default async function setup(): Promise<() => Promise<void>> {
	const running = await Lab.findRunning();
	if (running) {
		running.close();
		return async () => {};
	}
	const stop = new AbortController();
	const watched = watch(await Lab.up({ onProgress }), stop.signal);
	return async () => {
		stop.abort();
		await watched;
		await Lab.down();
	};
}

/** Replaces a machine that the emulator has lost: one file's tests fail by it, and not all that follow. */
async function watch(first: Lab, signal: AbortSignal): Promise<void> {
	let lab = first;
	while (!signal.aborted) {
		await delay(LOOK_EVERY_MS, signal).catch(() => {});
		if (signal.aborted || (await lab.isAlive(ANSWER_MS))) continue;
		const sentence = `Neither dom0 nor Xen answered for ${ANSWER_MS / 1000} s each: the emulated machine has stopped`;
		onProgress(`${sentence}; booting another machine`);
		if (LOST_MACHINES) await appendFile(LOST_MACHINES, `${sentence}\n`);
		lab.close();
		lab = await Lab.replace({ onProgress });
	}
	lab.close();
}
