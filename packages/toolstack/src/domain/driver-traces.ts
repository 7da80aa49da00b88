import { readdir } from "node:fs/promises";
import { DeadlineError, type DomId, delay } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { removeIfEmpty } from "./remove-nodes.ts";

/** Linux's devices on the bus of backends: "vbd-5-768" serves domain 5. Absent where domain 0 has no such drivers. */
const BACKEND_DEVICES = "/sys/bus/xen-backend/devices";
/** Where a driver that fails says why (xenbus_client.c: xenbus_dev_error). */
const ERRORS = "/local/domain/0/error";
const POLL_MS = 20;

/** How long a driver may take to let go of a device whose nodes are gone. */
export const DRIVER_GONE_MS = 10_000;

/**
 * Waits until the drivers in domain 0 have let go of a domain's devices, whose nodes are gone. There is no event for
 * that, so the kernel is asked again and again until the deadline.
 */
export function awaitDriversGone(domid: DomId, timeoutMs: number): Promise<void> {
	return awaitDevicesGone((name) => name.split("-")[1] === `${domid}`, timeoutMs);
}

/** The same for one device: "vbd-5-768". */
export function awaitDriverGone(device: string, timeoutMs: number): Promise<void> {
	return awaitDevicesGone((name) => name === device, timeoutMs);
}

async function awaitDevicesGone(isMeant: (name: string) => boolean, timeoutMs: number): Promise<void> {
	const limit = performance.now() + timeoutMs;
	for (;;) {
		const left = (await listDevices()).filter(isMeant);
		if (left.length === 0) return;
		if (performance.now() > limit)
			throw new DeadlineError(`Drivers in domain 0 still hold ${left.join(", ")} after ${timeoutMs} ms`, {
				remedy: "See `dmesg` in domain 0 for what they wait for",
				fields: { devices: left },
			});
		await delay(POLL_MS);
	}
}

async function listDevices(): Promise<string[]> {
	try {
		return await readdir(BACKEND_DEVICES);
	} catch {
		return [];
	}
}

/** Removes what drivers said of a domain's backends, which nobody else does: one that is cut off in the middle complains. */
export async function removeDriverErrors(store: XenstoreClient, domid: DomId): Promise<void> {
	const kinds = await store.findList(`${ERRORS}/backend`);
	if (kinds === undefined) return;
	await store.transaction(async (tx) => {
		for (const kind of kinds) await tx.remove(`${ERRORS}/backend/${kind}/${domid}`);
		for (const path of [...kinds.map((kind) => `${ERRORS}/backend/${kind}`), `${ERRORS}/backend`, ERRORS])
			await removeIfEmpty(tx, path);
	});
}
