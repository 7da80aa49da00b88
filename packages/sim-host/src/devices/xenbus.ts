import type { XenstoreClient } from "@bulkhead/xenstore";

/** States of a xenbus device's two ends (io/xenbus.h). */
export const XENBUS_STATE = {
	initialising: "1",
	initWait: "2",
	initialised: "3",
	connected: "4",
	closing: "5",
	closed: "6",
} as const;

const OTHER_END_TIMEOUT_MS = 60_000;

/** Waits until the other end's `state` is one of these. */
export async function awaitState(
	store: XenstoreClient,
	path: string,
	states: readonly string[],
	signal: AbortSignal,
): Promise<void> {
	await store.waitFor(`${path}/state`, (state) => state !== undefined && states.includes(state), {
		timeoutMs: OTHER_END_TIMEOUT_MS,
		signal,
		what: `${path} to be ${states.join(" or ")}`,
	});
}
