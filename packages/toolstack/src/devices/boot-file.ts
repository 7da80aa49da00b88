import { constants } from "node:fs";
import { copyFile, mkdir, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { ToolstackContext } from "../context.ts";
import { type BootFile, bootDiskConfig, bootFilesOf } from "../device-model/direct-boot.ts";
import { closeDisk, openDisk } from "./open-disk.ts";

const SECTOR = 512;

type Context = Pick<ToolstackContext, "hypervisor" | "openDisks" | "places">;

/**
 * Makes a disk of a file that QEMU in the stub domain is to boot: of a copy, since a disk has whole sectors and the
 * owner's file stays as it is (and may be replaced by a new kernel while the guest runs). The end is filled with zeros.
 */
export async function openBootFile(context: Context, file: BootFile): Promise<void> {
	const { bootFolder } = context.places;
	await mkdir(bootFolder, { recursive: true, mode: 0o700 });
	const copy = join(bootFolder, file.role);
	await rm(copy, { force: true });
	await copyFile(file.source, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
	const { size } = await stat(copy);
	await truncate(copy, Math.ceil(size / SECTOR) * SECTOR);
	await openDisk(context, bootDiskConfig(file, copy));
}

/** Safe to repeat. The folder goes with its last file. */
export async function closeBootFile(context: Context, file: BootFile): Promise<void> {
	const copy = join(context.places.bootFolder, file.role);
	await closeDisk(context, bootDiskConfig(file, copy));
	await rm(copy, { force: true });
}

/** Lets go of all boot files of a guest and removes their copies. Safe to repeat. */
export async function closeBootFiles(context: Context & Pick<ToolstackContext, "config">): Promise<void> {
	for (const file of bootFilesOf(context.config)) await closeBootFile(context, file);
	await rm(context.places.bootFolder, { recursive: true, force: true });
}
