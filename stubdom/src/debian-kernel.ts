import { join } from "node:path";
import { BulkheadError } from "@bulkhead/base";
import type { DebianPackages, PackageVersion } from "@bulkhead/image";

/** A kernel of Debian's, unpacked in the cache. */
export interface DebianKernel {
	/** The release string, e.g. `6.1.0-56-amd64`. */
	version: string;
	package: PackageVersion;
	vmlinuzPath: string;
	/** `lib/modules/<version>` of the kernel's tree, for `planModules`. */
	modulesDir: string;
}

const METAPACKAGE = "linux-image-amd64";

/** The kernel that the release's metapackage names today: what a Debian machine runs unless told otherwise. @throws BulkheadError `kernel-not-found` */
export async function fetchDebianKernel(debian: DebianPackages): Promise<DebianKernel> {
	const closure = await debian.versions([METAPACKAGE], { dependencies: true });
	const found = closure.find(({ name }) => /^linux-image-\d/.test(name));
	if (!found)
		throw new BulkheadError("kernel-not-found", `${METAPACKAGE} of ${debian.release} names no kernel`, {
			fields: { release: debian.release, metapackage: METAPACKAGE },
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
