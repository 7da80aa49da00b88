import type { DiskConfig, GuestConfig } from "./guest-config.ts";
import { diskConfigOf } from "./specs/disk-config.ts";
import { checkDiskFits } from "./specs/disk-fits.ts";
import { parseDiskSpec } from "./specs/disk-spec.ts";

/**
 * One disk as `disk = [ … ]` words it, for a guest that exists; checked against the disks that it has.
 * @throws InvalidInputError
 */
export function readDisk(
	text: string,
	baseDir: string,
	guest: Pick<GuestConfig, "type" | "hdType" | "disks" | "deviceModel">,
): { disk: DiskConfig; warning?: string } {
	const disk = diskConfigOf(parseDiskSpec(text), baseDir);
	return { disk, warning: checkDiskFits(disk, guest.disks, { ...guest, place: guest.deviceModel?.place }) };
}
