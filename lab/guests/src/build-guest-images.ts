import { ContentCache, DebianPackages, machineRelease } from "@bulkhead/image";
import { buildLinuxGuest } from "./linux-guest.ts";
import { buildPvGuest } from "./pv-guest.ts";
import { sourcePath } from "./source-files.ts";
import { buildTinyGuest } from "./tiny-guest.ts";

export interface GuestImagesOptions {
	/** Debian release that kernels and BusyBox come from; the machine's own unless told. */
	release?: string;
	cache?: ContentCache;
	onProgress?: (line: string) => void;
}

export interface GuestImages {
	/** Where each file belongs in dom0, and where it is on this machine. */
	files: Record<string, string>;
}

const IMAGES_DIR = "/var/lib/bulkhead/images";
const EXAMPLES_DIR = "/etc/bulkhead/examples";

/** The lab's guests, from the cache or built: disks with what is known about them, and a config for each. */
export async function buildGuestImages(options: GuestImagesOptions = {}): Promise<GuestImages> {
	const { release = await machineRelease(), cache = new ContentCache(), onProgress = () => {} } = options;
	const debian = await DebianPackages.open({ release, cache, onProgress });
	const tiny = await buildTinyGuest(cache);
	const pv = await buildPvGuest(debian, cache);
	const linux = await buildLinuxGuest(debian, cache);
	return {
		files: {
			[`${IMAGES_DIR}/tiny.img`]: tiny.disk,
			[`${IMAGES_DIR}/tiny-cd.iso`]: tiny.cd,
			[`${IMAGES_DIR}/tiny.img.json`]: tiny.facts,
			[`${IMAGES_DIR}/pv-initramfs.cpio`]: pv,
			[`${IMAGES_DIR}/linux.img`]: linux.disk,
			[`${IMAGES_DIR}/linux.img.json`]: linux.facts,
			[`${EXAMPLES_DIR}/tiny.cfg`]: sourcePath("configs/tiny.cfg"),
			[`${EXAMPLES_DIR}/pv.cfg`]: sourcePath("configs/pv.cfg"),
			[`${EXAMPLES_DIR}/linux.cfg`]: sourcePath("configs/linux.cfg"),
		},
	};
}
