import { join } from "node:path";
import { BulkheadError } from "@bulkhead/base";
import type { DebianPackages, PackageVersion } from "@bulkhead/image";

/** `cloud-amd64`: the same sources as `amd64`, without drivers for hardware (also without AHCI). */
export type KernelFlavour = "amd64" | "cloud-amd64";

/** A kernel of Debian's, unpacked in the cache. */
export interface DebianKernel {
	/** The release string, e.g. `6.1.0-56-cloud-amd64`. */
	version: string;
	package: PackageVersion;
	vmlinuzPath: string;
	/** `lib/modules/<version>` of the kernel's tree, for `planModules`. */
	modulesDir: string;
}

/** The kernel that the release's metapackage names today. @throws BulkheadError `kernel-not-found` */
export async function fetchDebianKernel(debian: DebianPackages, flavour: KernelFlavour): Promise<DebianKernel> {
	const metapackage = `linux-image-${flavour}`;
	const closure = await debian.versions([metapackage], { dependencies: true });
	const found = closure.find(({ name }) => /^linux-image-\d/.test(name));
	if (!found)
		throw new BulkheadError("kernel-not-found", `${metapackage} of ${debian.release} names no kernel`, {
			fields: { release: debian.release, metapackage },
		});
	const version = found.name.slice("linux-image-".length);
	const tree = await debian.unpack([found.name]);
	return {
		version,
		package: found,
		vmlinuzPath: join(tree, "boot", `vmlinuz-${version}`),
		modulesDir: join(tree, "usr/lib/modules", version),
	};
}
