import { InvalidInputError } from "@bulkhead/base";
import type { DiskConfig, GuestConfig } from "@bulkhead/xlcfg";

/**
 * A file of a direct kernel boot as the stub domain has it: a read-only PV disk of the stub alone, at the end of the
 * alphabet, where a guest's own disks rarely are (and no emulated one can be).
 */
export interface BootDisk {
	/** What the argument of QEMU says; the stub's init puts a ramdisk's copy in its place (stubdom/init/boot-files.c). */
	path: string;
	vdev: string;
	index: number;
	/** 1 << 28 | index << 8: xvd names above xvdp (xen-vbd-interface). */
	devnum: number;
}

const bootDisk = (letter: "y" | "z"): BootDisk => {
	const index = letter.charCodeAt(0) - "a".charCodeAt(0);
	return { path: `/dev/xvd${letter}`, vdev: `xvd${letter}`, index, devnum: (1 << 28) | (index << 8) };
};

export const DIRECT_BOOT_KERNEL: BootDisk = bootDisk("y");
export const DIRECT_BOOT_RAMDISK: BootDisk = bootDisk("z");

/** A boot file and the disk it becomes. */
export interface BootFile {
	role: "kernel" | "ramdisk";
	/** The file that the config names. */
	source: string;
	disk: BootDisk;
}

/** What a guest's stub domain must be given for QEMU to boot a kernel in place of a disk. Empty for other guests. */
export function bootFilesOf({ type, deviceModel, kernel, ramdisk }: GuestConfig): BootFile[] {
	if (type !== "hvm" || deviceModel?.place !== "stub-domain" || kernel === undefined) return [];
	return [
		{ role: "kernel", source: kernel, disk: DIRECT_BOOT_KERNEL },
		...(ramdisk === undefined ? [] : [{ role: "ramdisk" as const, source: ramdisk, disk: DIRECT_BOOT_RAMDISK }]),
	];
}

/** The stub's PV disk of a boot file, at `path`. */
export function bootDiskConfig({ disk: { vdev, devnum, index } }: BootFile, path: string): DiskConfig {
	return { vdev, devnum, index, partition: 0, bus: "xen", path, readOnly: true, cdrom: false, format: "raw" };
}

/** @throws InvalidInputError `disk-name-taken` when a disk of the guest would have the name of a boot file's */
export function checkBootDisks(config: GuestConfig): void {
	for (const { role, disk } of bootFilesOf(config)) {
		const taken = config.disks.find(({ index }) => index === disk.index);
		if (taken)
			throw new InvalidInputError(
				`Disk ${taken.vdev} has the place that the guest's ${role} takes in the stub domain (${disk.vdev})`,
				{ remedy: `Give the disk another letter than ${disk.vdev.at(-1)}`, fields: { vdev: taken.vdev, role } },
				"disk-name-taken",
			);
	}
}
