import { DeadlineError, DOM0, printable } from "@bulkhead/base";
import { type XenstoreClient, XenstoreError } from "@bulkhead/xenstore";
import { awaitDriverGone, DRIVER_GONE_MS } from "../domain/driver-traces.ts";
import { removeIfEmpty } from "../domain/remove-nodes.ts";
import { XENBUS_STATE } from "./xenbus.ts";
import { backendDeviceName, deviceTitle, type XenbusDevice, xenbusPaths } from "./xenbus-device.ts";
import { readDriverErrors } from "./xenbus-errors.ts";

/** libxl's LIBXL_DESTROY_TIMEOUT. */
const CLOSE_TIMEOUT_MS = 10_000;
/** A backend whose frontend is gone has nobody to wait for but its own disk or wire. */
const FORCED_TIMEOUT_MS = 2_000;
const ASK_TIMEOUT_MS = 3_000;

export interface RemovalOptions {
	/** "auto": ask first, force when there is no answer. "force": do not ask. */
	mode: "auto" | "force";
	/** How long the frontend may take. Default 10 s, as libxl's. */
	closeTimeoutMs?: number;
	/** How long a backend may take whose frontend is gone. Default 2 s. */
	forcedTimeoutMs?: number;
	/** How long domain 0's driver may take once the nodes are gone. Default 10 s. */
	driverTimeoutMs?: number;
	/**
	 * Before a frontend is cut off that has not let go: a backend without a driver gives the guest's memory back. Linux' hvc driver
	 * frees its ring at once, and a PV guest's kernel dies when it makes a page table of a page that is still mapped elsewhere.
	 */
	beforeForce?: () => Promise<void>;
	/** What is left to do once both ends have closed, or time is up, while the nodes are still there: a hot-plug script. */
	onClosed?: () => Promise<void>;
	signal?: AbortSignal;
}

export interface Removal {
	/** The frontend did not close by itself, or was not asked. */
	forced: boolean;
	/** What drivers said, and what did not go as it should. Printable. */
	complaints: string[];
}

/**
 * Takes a device away from a domain that goes on running (libxl: libxl__initiate_device_generic_remove). Bounded in
 * time whatever the domain does, and touches nothing but this device's nodes: the domain may write garbage into its
 * own, remove them, or never answer. Its nodes are kept out of transactions, which it could make fail for ever.
 * @throws XenstoreError when xenstored is lost; CancelledError
 */
export async function removeXenbusDevice(
	store: XenstoreClient,
	device: XenbusDevice,
	options: RemovalOptions,
): Promise<Removal> {
	const { mode, signal, closeTimeoutMs = CLOSE_TIMEOUT_MS, forcedTimeoutMs = FORCED_TIMEOUT_MS } = options;
	const { frontend } = xenbusPaths(device);
	const complaints: string[] = [];
	let forced = mode === "force";
	if (!forced) {
		await askToClose(store, device, signal);
		forced = !(await isClosedWithin(store, device, closeTimeoutMs, signal));
		if (forced) complaints.push(`The frontend of ${deviceTitle(device)} did not close within ${closeTimeoutMs} ms`);
	}
	if (forced) {
		// In this order: a driver whose frontend vanishes says Closed only if it was to close (xenbus_dev_remove).
		if (mode === "force") await askToClose(store, device, signal);
		await options.beforeForce?.();
		await store.remove(frontend, { signal });
		if (!(await isClosedWithin(store, device, forcedTimeoutMs, signal)))
			complaints.push(`The backend of ${deviceTitle(device)} did not close within ${forcedTimeoutMs} ms`);
	}
	await options.onClosed?.();
	complaints.push(...(await readDriverErrors(store, device, signal)));
	await removeDeviceNodes(store, device, signal);
	complaints.push(...(await awaitTraces(store, device, options)));
	return { forced, complaints: [...new Set(complaints)] };
}

/**
 * `online` = 0 tells the backend that it is not to wait for another frontend, Closing tells the frontend to let go. A
 * backend without a state is not there; one that is closed stays so. The directory is the backend's domain's: no guest
 * can make this transaction fail. A driver domain can: it is then treated like one that does not close.
 */
async function askToClose(store: XenstoreClient, device: XenbusDevice, signal?: AbortSignal): Promise<void> {
	const { backend } = xenbusPaths(device);
	try {
		await store.transaction(
			async (tx) => {
				const state = await tx.find(`${backend}/state`);
				if (state === undefined) return;
				await tx.write(`${backend}/online`, 0);
				if (state !== `${XENBUS_STATE.closed}`) await tx.write(`${backend}/state`, XENBUS_STATE.closing);
			},
			{ signal, timeoutMs: ASK_TIMEOUT_MS },
		);
	} catch (error) {
		if (!(error instanceof XenstoreError) || error.code !== "xenstore-conflict") throw error;
	}
}

async function isClosedWithin(
	store: XenstoreClient,
	device: XenbusDevice,
	timeoutMs: number,
	signal?: AbortSignal,
): Promise<boolean> {
	const isClosed = (state: string | undefined): boolean => state === undefined || state === `${XENBUS_STATE.closed}`;
	try {
		const what = `the backend of ${deviceTitle(device)} to close`;
		await store.waitFor(`${xenbusPaths(device).backend}/state`, isClosed, { timeoutMs, signal, what });
		return true;
	} catch (error) {
		if (error instanceof DeadlineError) return false;
		throw error;
	}
}

/** Both ends, what their drivers complained of, and the parents that this leaves empty. Safe to repeat. */
export async function removeDeviceNodes(
	store: XenstoreClient,
	device: XenbusDevice,
	signal?: AbortSignal,
): Promise<void> {
	const { frontend, backend, frontendError, backendError, parents } = xenbusPaths(device);
	// The frontend first: its driver must find it gone when it hears of the backend's end.
	for (const path of [frontend, backend, frontendError, backendError]) await store.remove(path, { signal });
	for (const path of parents) await store.transaction((tx) => removeIfEmpty(tx, path), { signal });
}

/** A driver that is cut off in the middle complains after its nodes are gone: that is told, and removed as well. */
async function awaitTraces(
	store: XenstoreClient,
	device: XenbusDevice,
	{ driverTimeoutMs = DRIVER_GONE_MS, signal }: RemovalOptions,
): Promise<string[]> {
	const complaints: string[] = [];
	try {
		if ((device.backendDomid ?? DOM0) === DOM0) await awaitDriverGone(backendDeviceName(device), driverTimeoutMs);
	} catch (error) {
		if (!(error instanceof DeadlineError)) throw error;
		complaints.push(printable(error.message, 200));
	}
	complaints.push(...(await readDriverErrors(store, device, signal)));
	await removeDeviceNodes(store, device, signal);
	return complaints;
}
