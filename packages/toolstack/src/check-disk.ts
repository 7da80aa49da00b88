import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { Hypervisor } from "@bulkhead/hypervisor";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { DiskConfig } from "@bulkhead/xlcfg";
import { findBackend } from "./check-backend.ts";
import { FILE_REMEDY, openFile } from "./check-files.ts";
import { HEADER_BYTES, imageHeaderProblem } from "./devices/image-header.ts";
import type { ServableDisk } from "./devices/vbd.ts";
import { DeviceRefusedError, FileUnusableError } from "./errors.ts";

const SECTOR = 512;

export interface DiskHost {
	hypervisor: Pick<Hypervisor, "images" | "scripts">;
	xenstore: Pick<XenstoreClient, "find" | "findList">;
	/** Where scripts without a path are. */
	scriptDirectory: string;
}

/**
 * Checks that a disk can be served the way the guest is to use it, and fills in what its config leaves to the host.
 * @throws FileUnusableError, DeviceRefusedError, NoBackendDomainError
 */
export async function checkDisk(disk: DiskConfig, host: DiskHost): Promise<ServableDisk> {
	checkServable(disk);
	const backendDomid = await findBackend(disk.backend, host.xenstore);
	const script = disk.script?.startsWith("/") === false ? `${host.scriptDirectory}/${disk.script}` : disk.script;
	// What path and script are there is that domain's own business; libxl names the script that it would run itself.
	if (backendDomid !== undefined) return { ...disk, backendDomid, script: script ?? `${host.scriptDirectory}/block` };
	if (script === undefined) await checkFile(disk, host.hypervisor);
	else await checkScript(disk, script, host.hypervisor);
	return { ...disk, ...(script !== undefined && { script }) };
}

function checkServable({ vdev, format, backend, script, cdrom }: DiskConfig): void {
	const refuse = (what: string, remedy: string): never => {
		throw new DeviceRefusedError("device-refused", `Disk ${vdev}: ${what}`, { remedy, fields: { vdev } });
	};
	if ((backend !== undefined || script !== undefined) && format !== "raw")
		refuse(
			"images that are not raw are served in domain 0 only, without a script",
			"Make a raw image there: qemu-img convert -O raw",
		);
	if ((backend !== undefined || script !== undefined) && cdrom)
		refuse("the medium of a CD drive is a file or block device of domain 0", "Leave backend= and script= out");
}

async function checkScript({ vdev }: DiskConfig, script: string, { scripts }: DiskHost["hypervisor"]): Promise<void> {
	const problem = await scripts.problem(script);
	if (problem !== undefined)
		throw new FileUnusableError(`script of disk ${vdev}`, script, problem, {
			remedy: "Correct the script's path, or leave it out: files and block devices need none",
		});
}

async function checkFile(disk: DiskConfig, host: DiskHost["hypervisor"]): Promise<void> {
	if (disk.path === undefined) return;
	if (disk.format !== "raw") await checkImageServer(disk, host);
	const role = disk.cdrom ? `CD image of ${disk.vdev}` : `disk ${disk.vdev}`;
	const refuse = (why: string, remedy: string): never => {
		throw new FileUnusableError(role, disk.path ?? "", why, { remedy });
	};
	const file = await openFile(role, disk.path, disk.readOnly ? constants.O_RDONLY : constants.O_RDWR);
	try {
		const stats = await file.stat();
		if (!stats.isFile() && !stats.isBlockDevice()) refuse("is neither a regular file nor a block device", FILE_REMEDY);
		if (stats.isFile() && stats.size < SECTOR) refuse("is smaller than one sector", FILE_REMEDY);
		if (disk.format === "raw") return;
		const head = await readAt(file, 0, HEADER_BYTES);
		const tail = await readAt(file, Math.max(0, stats.size - SECTOR), SECTOR);
		const problem = imageHeaderProblem(disk.format, head, tail);
		if (problem !== undefined)
			refuse(
				`(format ${disk.format}) ${problem}`,
				"Make it whole, or another format: qemu-img convert, and see qemu-img info",
			);
	} finally {
		await file.close();
	}
}

async function checkImageServer({ vdev, format }: DiskConfig, { images }: DiskHost["hypervisor"]): Promise<void> {
	const problem = await images.problem();
	if (problem)
		throw new DeviceRefusedError(
			"device-refused",
			`Disk ${vdev}: images of format ${format} cannot be served: ${problem.why}`,
			{
				remedy: `${problem.remedy}; or make a raw image: qemu-img convert -O raw`,
				fields: { vdev },
			},
		);
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
	const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
	return buffer.subarray(0, bytesRead);
}
