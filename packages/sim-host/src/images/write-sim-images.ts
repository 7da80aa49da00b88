import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { simKernel } from "./sim-kernel.ts";

/** Paths of files that a simulated host knows what to do with. */
export interface SimImages {
	/** Of a PV guest. */
	guestKernel: string;
	stubKernel: string;
	stubRamdisk: string;
	firmware: string;
	bios: string;
	/** For an HVM guest to boot from. */
	disk: string;
}

const DISK_BYTES = 64 * 1024;

/** Writes the images into a folder, which is made. What is there under these names is replaced. */
export async function writeSimImages(directory: string): Promise<SimImages> {
	const images: SimImages = {
		guestKernel: join(directory, "guest-kernel"),
		stubKernel: join(directory, "stub-kernel"),
		stubRamdisk: join(directory, "stub-ramdisk"),
		firmware: join(directory, "hvmloader"),
		bios: join(directory, "bios.bin"),
		disk: join(directory, "disk.img"),
	};
	await mkdir(directory, { recursive: true });
	const contents: Record<keyof SimImages, Uint8Array> = {
		guestKernel: simKernel("linux-guest"),
		stubKernel: simKernel("linux-stub"),
		stubRamdisk: Buffer.from("070701 no archive: the stub domain is simulated\n"),
		firmware: Buffer.from("no firmware: HVM guests are simulated\n"),
		bios: Buffer.from("no BIOS: HVM guests are simulated\n"),
		disk: Buffer.alloc(DISK_BYTES),
	};
	const names = Object.keys(images) as (keyof SimImages)[];
	await Promise.all(names.map((name) => writeFile(images[name], contents[name])));
	return images;
}
