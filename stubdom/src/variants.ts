import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InvalidInputError } from "@bulkhead/base";
import { ContentCache, hashFile, runProgram } from "@bulkhead/image";
import type { StubImage } from "./stub-image.ts";

const COMPRESS_TIMEOUT_MS = 300_000;

/**
 * The kernel as Debian ships it, for comparing start times. @returns its path
 * @throws InvalidInputError for an image with a minimal kernel
 */
export async function buildBzImage(image: StubImage, cache: ContentCache = new ContentCache()): Promise<string> {
	const { vmlinuz } = image;
	if (vmlinuz === undefined)
		throw new InvalidInputError("Only an image with Debian's kernel has a bzImage", {
			remedy: 'Build the image with kernel: "debian"',
		});
	const inputs = { vmlinuz: await hashFile(vmlinuz) };
	const dir = await cache.cached("stub-bzimage", inputs, (out) => copyFile(vmlinuz, join(out, "bzImage")));
	return join(dir, "bzImage");
}

/** The ramdisk compressed, for comparing start times. @returns its path */
export async function buildGzipRamdisk(image: StubImage, cache: ContentCache = new ContentCache()): Promise<string> {
	const dir = await cache.cached("stub-ramdisk-gzip", { ramdisk: image.manifest.ramdisk.sha256 }, async (out) => {
		const { stdout } = await runProgram(["gzip", "--no-name", "-6", "--stdout", image.ramdisk], {
			timeoutMs: COMPRESS_TIMEOUT_MS,
		});
		await writeFile(join(out, "rootfs.cpio.gz"), stdout);
	});
	return join(dir, "rootfs.cpio.gz");
}
