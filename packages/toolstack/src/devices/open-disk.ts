import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type LoopDevice, physicalDevice } from "@bulkhead/hypervisor";
import type { DiskConfig } from "@bulkhead/xlcfg";
import type { GuestPlaces, ToolstackContext } from "../context.ts";
import { provided } from "../runtime.ts";
import { isAwaited } from "./connect-disk.ts";
import type { OpenDisk, ServableDisk } from "./vbd.ts";

/** A disk that this process holds open until its guest is gone. A file's loop device detaches itself afterwards. */
export interface HeldDisk extends OpenDisk {
	loop: LoopDevice | undefined;
}

type Host = Pick<ToolstackContext, "hypervisor" | "places">;
type DiskHolder = Host & Pick<ToolstackContext, "openDisks">;

/** Where the server of a disk's image keeps what belongs to it. */
export const imageFolderOf = ({ imageFolder }: GuestPlaces, { vdev }: Pick<DiskConfig, "vdev">): string =>
	join(imageFolder, vdev);

export async function openDisk(holder: DiskHolder, disk: ServableDisk): Promise<void> {
	holder.openDisks.set(disk.vdev, await holdDisk(holder, disk));
}

/** Opens a disk without a place for it: the caller keeps it or lets it go. */
export async function holdDisk(host: Host, disk: ServableDisk): Promise<HeldDisk> {
	const path = provided(disk.path, `medium in ${disk.vdev}`);
	if (isAwaited(disk)) return { disk, loop: undefined, devicePath: path };
	const stats = await stat(path);
	const isBlockDevice = stats.isBlockDevice();
	if (disk.format !== "raw") return serveImage(host, disk, { path, isBlockDevice });
	if (isBlockDevice) return { disk, loop: undefined, devicePath: path, physicalDevice: physicalDevice(stats.rdev) };
	const loop = await host.hypervisor.loops.attach(path, { readOnly: disk.readOnly });
	return { disk, loop, devicePath: loop.path, physicalDevice: loop.physicalDevice };
}

async function serveImage(
	{ hypervisor: { images }, places }: Host,
	disk: ServableDisk,
	file: { path: string; isBlockDevice: boolean },
): Promise<HeldDisk> {
	const { format, readOnly, discard = true } = disk;
	if (format === "raw") throw new TypeError(`Disk ${disk.vdev} needs no image server`);
	const folder = imageFolderOf(places, disk);
	// A daemon that was killed while it attached this one has left its server.
	await images.release(folder);
	const device = await images.attach({ ...file, format, readOnly, discard: discard && !readOnly, folder });
	return { disk, loop: undefined, devicePath: device.path, physicalDevice: device.physicalDevice };
}

/** Lets a disk go that has no place yet; blkback's hold goes with the device. */
export async function letGo(host: Host, { disk, loop }: HeldDisk): Promise<void> {
	loop?.release();
	if (disk.format !== "raw") await host.hypervisor.images.release(imageFolderOf(host.places, disk));
}

/** Safe to repeat. An image's server has written everything when it resolves. */
export async function closeDisk(holder: DiskHolder, disk: ServableDisk): Promise<void> {
	holder.openDisks.get(disk.vdev)?.loop?.release();
	holder.openDisks.delete(disk.vdev);
	if (disk.format !== "raw") await holder.hypervisor.images.release(imageFolderOf(holder.places, disk));
}

/** Ends every image server of a guest, those of disks too that a killed daemon was about to attach. Safe to repeat. */
export async function closeImages({ hypervisor, places }: Host): Promise<void> {
	const folders = await readdir(places.imageFolder).catch(() => []);
	await Promise.all(folders.map((vdev) => hypervisor.images.release(join(places.imageFolder, vdev))));
	await rm(places.imageFolder, { recursive: true, force: true });
}
