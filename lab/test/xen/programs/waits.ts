import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { delay, withDeadline } from "@bulkhead/base";

export const STEP_MS = 20_000;

export function soon<T>(what: string, promise: Promise<T>): Promise<T> {
	return withDeadline(promise, { timeoutMs: STEP_MS, what });
}

/** Asks again and again: for what tells nobody that it has come about. */
export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
	const deadline = performance.now() + STEP_MS;
	while (!(await holds())) {
		assert.ok(performance.now() < deadline, `Gave up waiting for ${what}`);
		await delay(20);
	}
}

/** Until a server has made its socket. */
export function untilExists(path: string): Promise<void> {
	return eventually(path, () =>
		access(path).then(
			() => true,
			() => false,
		),
	);
}
