import { type ContentCache, DebianPackages, type PackageVersion } from "@bulkhead/image";
import { type DebianKernel, fetchDebianKernel } from "./debian-kernel.ts";

/** What the image is made of, unpacked in the cache. */
export interface StubPackages {
	kernel: DebianKernel;
	/** Tree with QEMU and its libraries. */
	deviceModelTree: string;
	/** Every package, sorted by name. */
	packages: PackageVersion[];
}

/** QEMU, and the option ROMs that it recommends in some releases and depends on in others. */
const DEVICE_MODEL_PACKAGES = ["qemu-system-xen", "ipxe-qemu"] as const;

export async function fetchStubPackages(
	release: string,
	cache: ContentCache,
	onProgress: (line: string) => void,
): Promise<StubPackages> {
	const debian = await DebianPackages.open({ release, cache, onProgress });
	const kernel = await fetchDebianKernel(debian, "cloud-amd64");
	const deviceModel = await debian.versions(DEVICE_MODEL_PACKAGES, { dependencies: true });
	return {
		kernel,
		deviceModelTree: await debian.unpack(DEVICE_MODEL_PACKAGES, { dependencies: true }),
		packages: [kernel.package, ...deviceModel].sort((a, b) => (a.name < b.name ? -1 : 1)),
	};
}
