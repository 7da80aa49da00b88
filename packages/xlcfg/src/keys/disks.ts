import type { DiskConfig } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { diskConfigOf } from "../specs/disk-config.ts";
import { checkDiskFits, type DiskGuest } from "../specs/disk-fits.ts";
import { parseDiskSpec } from "../specs/disk-spec.ts";
import type { ConfigReader } from "./config-reader.ts";

export function readDisks(reader: ConfigReader, guest: DiskGuest, baseDir: string): DiskConfig[] {
	const disks: DiskConfig[] = [];
	for (const place of reader.strings("disk", { most: XLCFG_LIMITS.disks }) ?? []) {
		const spec = reader.attempt("disk", () => parseDiskSpec(place.text), place);
		const disk = spec && reader.attempt("disk", () => diskConfigOf(spec, baseDir), place);
		if (!disk) continue;
		if (spec.prefix !== undefined)
			reader.warn(
				"disk",
				`The prefix "${spec.prefix}:" is deprecated: give the path alone, and format= if it is not raw`,
				place,
			);
		const warning = reader.attempt("disk", () => checkDiskFits(disk, disks, guest), place);
		if (warning !== undefined) reader.warn("disk", warning, place);
		disks.push(disk);
	}
	return disks;
}
