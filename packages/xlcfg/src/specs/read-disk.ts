import type { DiskConfig, GuestConfig } from "../guest-config.ts";
import { diskConfigOf } from "./disk-config.ts";
import { checkDiskFits } from "./disk-fits.ts";
import { parseDiskSpec } from "./disk-spec.ts";

/**
 * One disk as `disk = [ … ]` words it, for a guest that exists; checked against the disks that it has.
 * @throws InvalidInputError
 */
export function readDisk(
	text: string,
	baseDir: string,
	guest: Pick<GuestConfig, "type" | "hdType" | "disks" | "deviceModel">,
): { disk: DiskConfig; warning?: string } {
	const { type, hdType, disks, deviceModel } = guest;
	const disk = diskConfigOf(parseDiskSpec(text), baseDir);
	return { disk, warning: checkDiskFits(disk, disks, { type, hdType, place: deviceModel?.place }) };
}
