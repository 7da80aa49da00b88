import { setTimeout as pause } from "node:timers/promises";

/** Awaits a condition, looking every few milliseconds; names it when the time is up. */
export async function until(what: string, condition: () => boolean, timeoutMs = 10_000): Promise<void> {
	const deadline = Date.now() + timeoutMs;
	while (!condition()) {
		if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}`);
		await pause(2);
	}
}
