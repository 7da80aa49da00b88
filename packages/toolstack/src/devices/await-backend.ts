import { DeadlineError } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { DeviceError } from "../errors.ts";
import { XENBUS_STATE } from "./xenbus.ts";
import { deviceTitle, type XenbusDevice, xenbusPaths } from "./xenbus-device.ts";
import { readDriverErrors } from "./xenbus-errors.ts";

/** libxl's LIBXL_INIT_TIMEOUT. */
const BACKEND_TIMEOUT_MS = 10_000;

const READY: readonly string[] = [`${XENBUS_STATE.initWait}`, `${XENBUS_STATE.connected}`];
const GIVEN_UP: readonly string[] = [`${XENBUS_STATE.closing}`, `${XENBUS_STATE.closed}`];

/**
 * Waits until a new device's backend is ready for its frontend. A backend that gives up is noticed at once.
 * @throws DeviceError with what the drivers said; CancelledError
 */
export async function awaitBackend(
	store: XenstoreClient,
	device: XenbusDevice,
	{ timeoutMs = BACKEND_TIMEOUT_MS, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<void> {
	const { backend } = xenbusPaths(device);
	const title = deviceTitle(device);
	let state: string | undefined;
	try {
		state = await store.waitFor(
			`${backend}/state`,
			(found) => found === undefined || READY.includes(found) || GIVEN_UP.includes(found),
			{ timeoutMs, signal, what: `the backend of ${title}` },
		);
	} catch (cause) {
		if (!(cause instanceof DeadlineError)) throw cause;
		throw new DeviceError(`No driver took ${title} within ${timeoutMs} ms`, {
			cause,
			remedy: "See whether the backend's module is loaded: lsmod | grep xen",
			fields: { complaints: await readDriverErrors(store, device) },
		});
	}
	const complaints = await readDriverErrors(store, device, signal);
	const refusal = complaints.find((complaint) => complaint.startsWith("backend: "));
	if (refusal === undefined && state !== undefined && READY.includes(state)) return;
	throw new DeviceError(`The backend driver did not take ${title}: ${refusal ?? "it closed the device"}`, {
		remedy: "See `dmesg` in domain 0 for more of the driver's words",
		fields: { complaints },
	});
}
