import type { ToolstackContext } from "../context.ts";
import { awaitBackend } from "../devices/await-backend.ts";
import { writeDevices } from "../devices/publish.ts";
import { type OpenDisk, vbdDevice } from "../devices/vbd.ts";
import { xenbusPaths } from "../devices/xenbus-device.ts";
import { type Removal, type RemovalOptions, removeXenbusDevice } from "../devices/xenbus-removal.ts";
import { domidOf, runtimeOf } from "../runtime.ts";
import type { Role } from "../steps.ts";

type Context = Pick<ToolstackContext, "xenstore" | "runtime">;

/** Gives a running domain a PV disk. When the backend does not take it, nothing of it is left. @throws DeviceError */
export async function addPvDisk(
	{ xenstore, runtime }: Context,
	role: Role,
	disk: OpenDisk,
	signal?: AbortSignal,
): Promise<void> {
	const domain = runtimeOf(runtime, role);
	const device = vbdDevice(domidOf(runtime, role), disk.disk);
	// What a daemon left that was killed in the middle would otherwise be taken for this device.
	if ((await xenstore.find(`${xenbusPaths(device).backend}/state`)) !== undefined)
		await removeXenbusDevice(xenstore, device, { mode: "force" });
	try {
		await xenstore.transaction((tx) => writeDevices(tx, { domain, disks: [disk], consoles: [] }), { signal });
		await awaitBackend(xenstore, device, { signal });
	} catch (error) {
		await removeXenbusDevice(xenstore, device, { mode: "force" });
		throw error;
	}
}

export function removePvDisk(
	{ xenstore, runtime }: Context,
	role: Role,
	disk: OpenDisk["disk"],
	options: RemovalOptions,
): Promise<Removal> {
	return removeXenbusDevice(xenstore, vbdDevice(domidOf(runtime, role), disk), options);
}
