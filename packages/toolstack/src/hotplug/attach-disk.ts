import type { DiskConfig, GuestConfig } from "@bulkhead/xlcfg";
import { checkDisk } from "../check-disk.ts";
import type { ToolstackContext } from "../context.ts";
import { isEmulated } from "../device-model/qemu-args.ts";
import { holdDisk, letGo } from "../devices/open-disk.ts";
import { DeviceRefusedError } from "../errors.ts";
import { addPvDisk } from "./pv-disk.ts";

/**
 * Whether a running guest can be given this disk. Answers a warning, or undefined.
 * @throws DeviceRefusedError
 */
export function checkAttach(disk: DiskConfig, { type, hdType, disks }: GuestConfig): string | undefined {
	const { vdev, devnum, bus, cdrom } = disk;
	if (disks.some((other) => other.devnum === devnum))
		throw new DeviceRefusedError("device-exists", `The guest has a disk ${vdev} already`, {
			remedy: "Give the new disk another vdev, or detach the old one first",
			fields: { vdev },
		});
	if (type !== "hvm") return undefined;
	if (cdrom)
		throw new DeviceRefusedError("device-refused", `A CD drive (${vdev}) cannot be added to a running HVM guest`, {
			remedy: "Put an empty drive into the guest's config file and change its medium with `bulkhead cd-insert`",
			fields: { vdev },
		});
	if (bus !== "xen")
		throw new DeviceRefusedError("device-refused", `An emulated disk (${vdev}) cannot be added to a running guest`, {
			remedy: "Use xvda and so on: the guest sees it through its PV drivers",
			fields: { vdev },
		});
	return isEmulated(disk, { type, hdType })
		? `Disk ${vdev} is seen through PV drivers only until the guest is started again; then QEMU emulates it as well`
		: undefined;
}

/** Attaches a disk to the running guest. A failure leaves nothing. @throws DeviceError, FileUnusableError, CancelledError */
export async function attachDisk(
	context: ToolstackContext,
	disk: DiskConfig,
	{ scriptDirectory, signal }: { scriptDirectory: string; signal?: AbortSignal },
): Promise<void> {
	const servable = await checkDisk(disk, { ...context, scriptDirectory });
	const held = await holdDisk(context, servable);
	try {
		await addPvDisk(context, "guest", held, signal);
	} catch (error) {
		await letGo(context, held);
		throw error;
	}
	context.openDisks.set(disk.vdev, held);
}
