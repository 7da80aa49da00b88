import { stat } from "node:fs/promises";
import type { LoopDevice } from "@bulkhead/hypervisor";
import type { DiskConfig } from "@bulkhead/xlcfg";
import type { ToolstackContext } from "../context.ts";
import { provided } from "../runtime.ts";
import type { OpenDisk } from "./vbd.ts";

/** A disk that this process holds open until its guest is gone. A file's loop device detaches itself afterwards. */
export interface HeldDisk extends OpenDisk {
	loop: LoopDevice | undefined;
}

type DiskHolder = Pick<ToolstackContext, "hypervisor" | "openDisks">;

export async function openDisk(holder: DiskHolder, disk: DiskConfig): Promise<void> {
	holder.openDisks.set(disk.vdev, await holdDisk(holder, disk));
}

/** Opens a disk without a place for it: the caller keeps it or releases its loop device. */
export async function holdDisk({ hypervisor }: Pick<DiskHolder, "hypervisor">, disk: DiskConfig): Promise<HeldDisk> {
	const path = provided(disk.path, `medium in ${disk.vdev}`);
	const stats = await stat(path);
	if (stats.isBlockDevice())
		return { disk, loop: undefined, devicePath: path, physicalDevice: physicalDevice(stats.rdev) };
	const loop = await hypervisor.loops.attach(path, { readOnly: disk.readOnly });
	return { disk, loop, devicePath: loop.path, physicalDevice: loop.physicalDevice };
}

/** Safe to repeat. */
export function closeDisk({ openDisks }: Pick<DiskHolder, "openDisks">, disk: DiskConfig): void {
	openDisks.get(disk.vdev)?.loop?.release();
	openDisks.delete(disk.vdev);
}

/** "major:minor" in hexadecimal from Linux's 64-bit dev_t (glibc: gnu_dev_major, gnu_dev_minor). */
export function physicalDevice(rdev: number): string {
	const dev = BigInt(rdev);
	const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
	const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn & 0xffff_ffffn);
	return `${major.toString(16)}:${minor.toString(16)}`;
}
