import { checkDiskFits, diskConfigOf } from "./disk-config.ts";
import { parseDiskSpec } from "./disk-spec.ts";
import type { DiskConfig, GuestConfig } from "./guest-config.ts";

/**
 * One disk as `disk = [ … ]` words it, for a guest that exists; checked against the disks that it has.
 * @throws InvalidInputError
 */
export function readDisk(
	text: string,
	baseDir: string,
	guest: Pick<GuestConfig, "type" | "hdType" | "disks">,
): { disk: DiskConfig; warning?: string } {
	const disk = diskConfigOf(parseDiskSpec(text), baseDir);
	return { disk, warning: checkDiskFits(disk, guest.disks, guest) };
}
