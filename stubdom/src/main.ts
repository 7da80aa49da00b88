import { buildStubImage } from "./stub-image.ts";

const release = process.argv[2];
const { kernel, ramdisk, manifest } = await buildStubImage({
	...(release === undefined ? {} : { release }),
	onProgress: (line) => console.error(line),
});
const mebibytes = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MiB`;
console.log(`kernel   ${kernel}  ${mebibytes(manifest.kernel.sizeBytes)}  sha256 ${manifest.kernel.sha256}`);
console.log(`ramdisk  ${ramdisk}  ${mebibytes(manifest.ramdisk.sizeBytes)}  sha256 ${manifest.ramdisk.sha256}`);
console.log(`Linux ${manifest.kernelVersion}, qemu-system-xen ${manifest.qemuVersion}, Debian ${manifest.release}`);
console.log(`modules  ${manifest.modules.join(" ")}`);
