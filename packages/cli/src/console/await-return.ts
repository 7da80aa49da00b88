import { type ApiClient, ApiError, type GuestPhase } from "@bulkhead/api/client";
import { BulkheadError, delay } from "@bulkhead/base";
import type { FoundConsole } from "./find-console.ts";

const LOOK_MS = 250;
/** How long there may be no sign that the console comes back: another toolstack does not say what it is about to do. */
const ABSENT_MS = 10_000;
/** Between a guest's domains. */
const CHANGING: ReadonlySet<GuestPhase> = new Set(["dying", "ended", "creating"]);

/**
 * Waits until a console that has ended is there again: a guest that reboots gets another domain, and its console keeps
 * its name. False when the guest is gone for good.
 */
export async function awaitReturn(client: ApiClient, found: FoundConsole, signal: AbortSignal): Promise<boolean> {
	const look = found.isOthers ? lookAtOther : lookAtGuest;
	let deadline = performance.now() + ABSENT_MS;
	for (;;) {
		const state = await look(client, found);
		if (state === "served") return true;
		if (state === "changing") deadline = performance.now() + ABSENT_MS;
		if (state === "gone" || performance.now() > deadline) return false;
		await delay(LOOK_MS, signal);
	}
}

async function lookAtGuest(client: ApiClient, { guest, label }: FoundConsole): Promise<string> {
	try {
		const { consoles, phase } = await client.guest(guest);
		if (consoles.some((console) => console.label === label && console.socketPath !== undefined)) return "served";
		return CHANGING.has(phase) ? "changing" : "absent";
	} catch (error) {
		if (!(error instanceof BulkheadError)) throw error;
		return error instanceof ApiError && error.code === "no-such-guest" ? "gone" : "absent";
	}
}

async function lookAtOther(client: ApiClient, { guest }: FoundConsole): Promise<string> {
	try {
		const others = await client.otherConsoles();
		return others.some(({ uuid, socketPath }) => uuid === guest && socketPath !== undefined) ? "served" : "absent";
	} catch (error) {
		if (!(error instanceof BulkheadError)) throw error;
		return "absent";
	}
}
