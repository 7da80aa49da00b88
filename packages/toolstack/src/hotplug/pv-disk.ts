import { DOM0 } from "@bulkhead/base";
import type { ToolstackContext } from "../context.ts";
import { awaitBackend } from "../devices/await-backend.ts";
import { connectDisk, disconnectDisk, isAwaited } from "../devices/connect-disk.ts";
import { writeDevices } from "../devices/publish.ts";
import { findBackendDomid, removeRecord } from "../devices/record.ts";
import { type OpenDisk, vbdDevice } from "../devices/vbd.ts";
import { xenbusPaths } from "../devices/xenbus-device.ts";
import { type Removal, type RemovalOptions, removeXenbusDevice } from "../devices/xenbus-removal.ts";
import { domidOf, runtimeOf } from "../runtime.ts";
import type { Role } from "../steps.ts";

type Context = Pick<ToolstackContext, "xenstore" | "runtime" | "hypervisor">;

/** Gives a running domain a PV disk. When the backend does not take it, nothing of it is left. @throws DeviceError */
export async function addPvDisk(context: Context, role: Role, open: OpenDisk, signal?: AbortSignal): Promise<void> {
	const { xenstore, runtime } = context;
	const domain = runtimeOf(runtime, role);
	const domid = domidOf(runtime, role);
	const { disk } = open;
	const device = vbdDevice(domid, disk);
	// What a daemon left that was killed in the middle would otherwise be taken for this device.
	if ((await xenstore.find(`${xenbusPaths(device).backend}/state`)) !== undefined)
		await removeXenbusDevice(xenstore, device, { mode: "force" });
	try {
		await xenstore.transaction((tx) => writeDevices(tx, { domain, disks: [open], consoles: [] }), { signal });
		if (isAwaited(disk)) await connectDisk(context, domid, disk, signal);
		else await awaitBackend(xenstore, device, { signal });
	} catch (error) {
		await removePvDisk(context, role, disk, { mode: "force" });
		throw error;
	}
}

/** Bounded in time whatever the domains at both ends do. Safe to repeat. */
export async function removePvDisk(
	context: Context,
	role: Role,
	disk: OpenDisk["disk"],
	options: RemovalOptions,
): Promise<Removal> {
	const { xenstore, runtime } = context;
	const domid = domidOf(runtime, role);
	// The number of the backend's domain is not in a config; the record has it.
	const backendDomid = await findBackendDomid(xenstore, vbdDevice(domid, disk));
	const device = { ...vbdDevice(domid, disk), backendDomid };
	const problems: string[] = [];
	const { forced, complaints } = await removeXenbusDevice(xenstore, device, {
		...options,
		onClosed: async () => {
			if (backendDomid === DOM0) problems.push(...(await disconnectDisk(context, domid, disk)));
		},
	});
	await removeRecord(xenstore, device);
	return { forced, complaints: [...problems, ...complaints] };
}
