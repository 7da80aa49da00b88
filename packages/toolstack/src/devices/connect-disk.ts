import type { DomId } from "@bulkhead/base";
import { DeviceError } from "../errors.ts";
import { awaitBackend } from "./await-backend.ts";
import { runHotplugScript, type ScriptHost, undoHotplugScript } from "./hotplug-script.ts";
import { type ServableDisk, vbdDevice } from "./vbd.ts";
import { xenbusPaths } from "./xenbus-device.ts";

/** libxl's LIBXL_INIT_TIMEOUT is 10 s; an emulated host is slower. */
const BACKEND_TIMEOUT_MS = 20_000;

/** Whether somebody has to wait for a disk's backend: a script is to run for it, or its domain runs one. */
export const isAwaited = ({ script, backendDomid }: ServableDisk): boolean =>
	script !== undefined || backendDomid !== undefined;

/**
 * Waits until a disk's backend is ready, and runs the disk's script, which makes a block device of what the config names
 * and writes its number (docs/misc/block-scripts.txt). A disk of another domain is that domain's to set up.
 * @throws DeviceError, DeadlineError, CancelledError
 */
export async function connectDisk(
	host: ScriptHost,
	domid: DomId,
	disk: ServableDisk,
	signal?: AbortSignal,
): Promise<void> {
	const device = vbdDevice(domid, disk);
	await awaitBackend(host.xenstore, device, { timeoutMs: BACKEND_TIMEOUT_MS, signal });
	if (disk.script === undefined || disk.backendDomid !== undefined) return;
	await runHotplugScript(host, { device, path: disk.script, args: ["add"], signal });
	if ((await host.xenstore.find(`${xenbusPaths(device).backend}/physical-device`)) !== undefined) return;
	throw new DeviceError(`The script ${disk.script} named no block device for ${disk.vdev}`, {
		remedy: "It must write physical-device into the backend's nodes: see Xen's docs/misc/block-scripts.txt",
		fields: { vdev: disk.vdev },
	});
}

/** Has the script of a disk that domain 0 serves take back what it did. Answers what went wrong. */
export async function disconnectDisk(host: ScriptHost, domid: DomId, disk: ServableDisk): Promise<string[]> {
	if (disk.script === undefined) return [];
	const problem = await undoHotplugScript(host, { device: vbdDevice(domid, disk), args: ["remove"] });
	return problem === undefined ? [] : [problem];
}
