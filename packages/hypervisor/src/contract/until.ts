import { DeadlineError, delay } from "@bulkhead/base";

const RECHECK_MS = 10;

/** Waits for a state that nobody announces. @throws DeadlineError that says what was awaited */
export async function until(
	what: string,
	holds: () => boolean | Promise<boolean>,
	timeoutMs: number = 20_000,
): Promise<void> {
	const deadline = performance.now() + timeoutMs;
	while (!(await holds())) {
		if (performance.now() > deadline)
			throw new DeadlineError(`Gave up waiting until ${what}`, { fields: { timeoutMs } });
		await delay(RECHECK_MS);
	}
}
