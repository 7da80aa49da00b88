import { printable } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { type XenbusDevice, xenbusPaths } from "./xenbus-device.ts";

/** More of a driver's complaint than this is not told on. */
const LONGEST_COMPLAINT = 200;

/**
 * What the drivers of both sides complained of. The frontend's words are the guest's: bounded and made printable, like
 * those of a backend in another domain.
 */
export async function readDriverErrors(
	store: Pick<XenstoreClient, "find">,
	device: XenbusDevice,
	signal?: AbortSignal,
): Promise<string[]> {
	const { frontendError, backendError } = xenbusPaths(device);
	const [backend, frontend] = await Promise.all([
		findComplaint(store, `${backendError}/error`, signal),
		findComplaint(store, `${frontendError}/error`, signal),
	]);
	return [
		...(backend === undefined ? [] : [`backend: ${backend}`]),
		...(frontend === undefined ? [] : [`frontend: ${frontend}`]),
	];
}

async function findComplaint(
	store: Pick<XenstoreClient, "find">,
	path: string,
	signal: AbortSignal | undefined,
): Promise<string | undefined> {
	const text = await store.find(path, { signal });
	return text === undefined || text === "" ? undefined : printable(text, LONGEST_COMPLAINT);
}
