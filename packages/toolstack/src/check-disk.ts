import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { Hypervisor } from "@bulkhead/hypervisor";
import type { DiskConfig } from "@bulkhead/xlcfg";
import { FILE_REMEDY, openFile } from "./check-files.ts";
import { HEADER_BYTES, imageHeaderProblem } from "./devices/image-header.ts";
import { DeviceRefusedError, FileUnusableError } from "./errors.ts";

const SECTOR = 512;

type Host = Pick<Hypervisor, "images">;

/** @throws FileUnusableError, DeviceRefusedError unless the disk can be opened the way the guest is to use it */
export async function checkDisk(disk: DiskConfig, host: Host): Promise<void> {
	if (disk.path === undefined) return;
	if (disk.format !== "raw") await checkImageServer(disk, host);
	const role = disk.cdrom ? `CD image of ${disk.vdev}` : `disk ${disk.vdev}`;
	const refuse = (why: string, remedy: string): never => {
		throw new FileUnusableError(role, disk.path ?? "", why, { remedy });
	};
	const file = await openFile(role, disk.path, disk.readOnly ? constants.O_RDONLY : constants.O_RDWR);
	try {
		const stats = await file.stat();
		if (!stats.isFile() && !stats.isBlockDevice())
			refuse("is neither a regular file nor a block device", FILE_REMEDY);
		if (stats.isFile() && stats.size < SECTOR) refuse("is smaller than one sector", FILE_REMEDY);
		if (disk.format === "raw") return;
		const head = await readAt(file, 0, HEADER_BYTES);
		const tail = await readAt(file, Math.max(0, stats.size - SECTOR), SECTOR);
		const problem = imageHeaderProblem(disk.format, head, tail);
		if (problem !== undefined)
			refuse(`(format ${disk.format}) ${problem}`, "Make it whole, or another format: qemu-img convert, and see qemu-img info");
	} finally {
		await file.close();
	}
}

async function checkImageServer({ vdev, format }: DiskConfig, { images }: Host): Promise<void> {
	const problem = await images.problem();
	if (problem)
		throw new DeviceRefusedError("device-refused", `Disk ${vdev}: images of format ${format} cannot be served: ${problem.why}`, {
			remedy: `${problem.remedy}; or make a raw image: qemu-img convert -O raw`,
			fields: { vdev },
		});
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
	const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
	return buffer.subarray(0, bytesRead);
}
