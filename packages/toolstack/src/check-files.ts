import { constants } from "node:fs";
import { access, type FileHandle, open } from "node:fs/promises";
import { errnoOf } from "@bulkhead/base";
import { FileUnusableError } from "./errors.ts";

const ELF_MAGIC = Buffer.from("\x7fELF", "latin1");
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
/** "HdrS" at 0x202 marks a Linux bzImage (x86 boot protocol). */
const BZIMAGE = { offset: 0x202, magic: Buffer.from("HdrS", "latin1") } as const;
const LARGEST_BIOS = 16 * 1024 * 1024;

const WHY: Readonly<Record<string, string>> = {
	ENOENT: "does not exist",
	EACCES: "may not be read",
	EISDIR: "is a directory",
	ENOTDIR: "lies below something that is not a directory",
	EROFS: "is on a read-only file system",
	EBUSY: "is in use",
	ETXTBSY: "is in use",
};

export const FILE_REMEDY = "Correct the path, or the file's permissions, in the guest's config file";

/** Opens without ever blocking (a FIFO would) and tells what is wrong in words. @throws FileUnusableError */
export async function openFile(role: string, path: string, flags: number): Promise<FileHandle> {
	try {
		return await open(path, flags | constants.O_NONBLOCK | constants.O_NOCTTY);
	} catch (cause) {
		const errno = errnoOf(cause);
		const why = (errno && WHY[errno]) ?? `cannot be opened${errno ? ` (${errno})` : ""}`;
		throw new FileUnusableError(role, path, why, { cause, remedy: FILE_REMEDY });
	}
}

/** A file that a builder will load: readable, regular and not empty. Answers its size and first bytes. */
async function probeImage(role: string, path: string): Promise<{ size: number; head: Buffer }> {
	const file = await openFile(role, path, constants.O_RDONLY);
	try {
		const stats = await file.stat();
		if (!stats.isFile()) throw new FileUnusableError(role, path, "is not a regular file", { remedy: FILE_REMEDY });
		if (stats.size === 0) throw new FileUnusableError(role, path, "is empty", { remedy: FILE_REMEDY });
		const { buffer, bytesRead } = await file.read(Buffer.alloc(1024), 0, 1024, 0);
		return { size: stats.size, head: buffer.subarray(0, bytesRead) };
	} finally {
		await file.close();
	}
}

/** @throws FileUnusableError unless the file is a kernel that the PV builder can load */
export async function checkKernel(role: string, path: string): Promise<void> {
	const { head } = await probeImage(role, path);
	const isBzImage = head.subarray(BZIMAGE.offset, BZIMAGE.offset + 4).equals(BZIMAGE.magic);
	const known = head.subarray(0, 4).equals(ELF_MAGIC) || head.subarray(0, 2).equals(GZIP_MAGIC) || isBzImage;
	if (!known)
		throw new FileUnusableError(role, path, "is not a kernel (neither ELF nor bzImage)", {
			remedy: "Give a Linux kernel with Xen PV support: a vmlinux or a bzImage",
		});
}

/**
 * A kernel that QEMU boots in an HVM guest: a bzImage, or an ELF file that says how (PVH's or multiboot's note, which QEMU
 * looks for). @throws FileUnusableError; answers the size in KiB
 */
export async function checkBootKernel(path: string): Promise<number> {
	const { size, head } = await probeImage("kernel", path);
	const isBzImage = head.subarray(BZIMAGE.offset, BZIMAGE.offset + 4).equals(BZIMAGE.magic);
	if (!isBzImage && !head.subarray(0, 4).equals(ELF_MAGIC))
		throw new FileUnusableError("kernel", path, "is not a kernel that QEMU boots (neither bzImage nor ELF)", {
			remedy: "Give a Linux kernel as the distribution installs it: vmlinuz",
		});
	return Math.ceil(size / 1024);
}

/** @throws FileUnusableError unless the file is a program that may be started */
export async function checkProgram(role: string, path: string, remedy: string): Promise<void> {
	await probeImage(role, path);
	await access(path, constants.X_OK).catch((cause: unknown) => {
		throw new FileUnusableError(role, path, "may not be executed", { cause, remedy });
	});
}

/** @throws FileUnusableError; answers the size in KiB */
export async function checkRamdisk(role: string, path: string): Promise<{ sizeKiB: number; compressed: boolean }> {
	const { size, head } = await probeImage(role, path);
	const raw = head.subarray(0, 6).toString("latin1") === "070701";
	return { sizeKiB: Math.ceil(size / 1024), compressed: !raw };
}

/** @throws FileUnusableError */
export async function checkFirmware(role: string, path: string): Promise<void> {
	const { size } = await probeImage(role, path);
	if (size > LARGEST_BIOS)
		throw new FileUnusableError(role, path, `is larger than ${LARGEST_BIOS >> 20} MiB`, { remedy: FILE_REMEDY });
}
