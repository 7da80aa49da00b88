import { join } from "node:path";
import { BulkheadError } from "@bulkhead/base";
import { type ContentCache, DebianPackages, type PackageVersion } from "@bulkhead/image";

/** What the image is made of, unpacked in the cache. */
export interface StubPackages {
	/** Tree with QEMU and its libraries. */
	deviceModelTree: string;
	/** The kernel's release string, e.g. `6.1.0-56-cloud-amd64`. */
	kernelVersion: string;
	vmlinuzPath: string;
	/** `lib/modules/<version>` of the kernel's tree. */
	modulesDir: string;
	/** Every package, sorted by name. */
	packages: PackageVersion[];
}

/** Debian's kernel for clouds: the same sources as the ordinary one, without drivers for hardware. */
const KERNEL_METAPACKAGE = "linux-image-cloud-amd64";
const DEVICE_MODEL_PACKAGE = "qemu-system-xen";

export async function fetchStubPackages(
	release: string,
	cache: ContentCache,
	onProgress: (line: string) => void,
): Promise<StubPackages> {
	const debian = await DebianPackages.open({ release, cache, onProgress });
	const kernel = (await debian.versions([KERNEL_METAPACKAGE], { dependencies: true })).find(({ name }) =>
		/^linux-image-\d/.test(name),
	);
	if (!kernel)
		throw new BulkheadError("kernel-not-found", `${KERNEL_METAPACKAGE} of ${release} names no kernel`, {
			fields: { release },
		});
	const kernelVersion = kernel.name.slice("linux-image-".length);
	const kernelTree = await debian.unpack([kernel.name]);
	const deviceModel = await debian.versions([DEVICE_MODEL_PACKAGE], { dependencies: true });
	return {
		deviceModelTree: await debian.unpack([DEVICE_MODEL_PACKAGE], { dependencies: true }),
		kernelVersion,
		vmlinuzPath: join(kernelTree, "boot", `vmlinuz-${kernelVersion}`),
		modulesDir: join(kernelTree, "usr/lib/modules", kernelVersion),
		packages: [kernel, ...deviceModel].sort((a, b) => (a.name < b.name ? -1 : 1)),
	};
}
