import type { DiskConfig } from "@bulkhead/xlcfg";
import type { ToolstackContext } from "../context.ts";
import { isEmulated } from "../device-model/qemu-args.ts";
import { closeDisk } from "../devices/open-disk.ts";
import type { Removal } from "../devices/xenbus-removal.ts";
import { DeviceRefusedError } from "../errors.ts";
import type { Role } from "../steps.ts";
import { removePvDisk } from "./pv-disk.ts";

/** By its name or its number, as xl takes both. @throws DeviceRefusedError `no-such-device` */
export function findDisk(disks: readonly DiskConfig[], reference: string): DiskConfig {
	const found = disks.find(({ vdev, devnum }) => vdev === reference || `${devnum}` === reference);
	if (found) return found;
	throw new DeviceRefusedError("no-such-device", `The guest has no disk ${JSON.stringify(reference)}`, {
		remedy: "See `bulkhead block-list` for those that it has",
		fields: { vdev: reference },
	});
}

/** @throws DeviceRefusedError for a disk that QEMU emulates: it cannot be taken from a running PC */
export function checkDetach(disk: DiskConfig, { config, runtime }: Pick<ToolstackContext, "config" | "runtime">): void {
	if (runtime.attachedDisks?.includes(disk.vdev) || !isEmulated(disk, config)) return;
	const what = disk.cdrom ? "a CD drive" : "an emulated disk";
	throw new DeviceRefusedError("device-refused", `Disk ${disk.vdev} is ${what}: it stays while the guest runs`, {
		remedy: disk.cdrom ? "Use `bulkhead cd-eject` to take the medium out" : "Shut the guest down first",
		fields: { vdev: disk.vdev },
	});
}

/** Takes a disk from the running guest, and from its stub domain. */
export async function detachDisk(
	context: ToolstackContext,
	disk: DiskConfig,
	options: { force: boolean; signal?: AbortSignal },
): Promise<Removal> {
	const { runtime } = context;
	const isStubsToo = runtime.stub !== undefined && !runtime.attachedDisks?.includes(disk.vdev);
	const roles: Role[] = isStubsToo ? ["guest", "stub"] : ["guest"];
	const mode = options.force ? "force" : "auto";
	const removals = await Promise.all(
		roles.map((role) => removePvDisk(context, role, disk, { mode, signal: options.signal })),
	);
	await closeDisk(context, disk);
	return {
		forced: removals.some(({ forced }) => forced),
		complaints: removals.flatMap(({ complaints }) => complaints),
	};
}
