import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, link, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { type ContentCache, extractVmlinux } from "@bulkhead/image";
import type { HostPackages } from "./host-packages.ts";
import type { LabPaths } from "./lab-paths.ts";

export interface BootFiles {
	xen: string;
	vmlinux: string;
}

/** Xen and dom0's kernel, unpacked: decompressing them under emulation would take longer than booting. */
export async function unpackBootFiles(cache: ContentCache, packages: HostPackages): Promise<BootFiles> {
	const { tree, kernelTree, xenSeries, kernelRelease, xenVersion, kernelVersion } = packages;
	const inputs = { format: 1, xen: `${xenSeries} ${xenVersion}`, kernel: `${kernelRelease} ${kernelVersion}` };
	const dir = await cache.cached("lab-boot-files", inputs, async (buildDir) => {
		const packedXen = createReadStream(join(tree, `boot/xen-${xenSeries}-amd64.gz`));
		await pipeline(packedXen, createGunzip(), createWriteStream(join(buildDir, "xen")));
		await extractVmlinux(join(kernelTree, `boot/vmlinuz-${kernelRelease}`), join(buildDir, "vmlinux"));
	});
	return { xen: join(dir, "xen"), vmlinux: join(dir, "vmlinux") };
}

/** Puts what QEMU's multiboot loader reads into the lab's folder. The kernel unpacks archives that follow one another. */
export async function placeBootFiles(
	paths: LabPaths,
	files: BootFiles,
	basePath: string,
	overlayPath: string,
): Promise<void> {
	await placeFile(files.xen, join(paths.dir, "xen"));
	await placeFile(files.vmlinux, join(paths.dir, "vmlinux"));
	await rm(paths.initrd, { force: true });
	await copyFile(basePath, paths.initrd);
	await pipeline(createReadStream(overlayPath), createWriteStream(paths.initrd, { flags: "a" }));
}

async function placeFile(source: string, target: string): Promise<void> {
	await rm(target, { force: true });
	await link(source, target).catch(() => copyFile(source, target));
}
