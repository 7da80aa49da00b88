import { join } from "node:path";
import { type ContentCache, type DebianPackages, hashTree, writeCpioArchive } from "@bulkhead/image";
import { fetchDebianKernel, planModules } from "@bulkhead/stubdom";
import { busyboxEntries } from "./busybox.ts";
import { readSource, sourcePath } from "./source-files.ts";

/** Of the stub domain's own kernel, which this guest runs on. */
const MODULES = ["xen-blkfront", "xen-netfront"] as const;

/** The PV guest's initramfs. @returns its path */
export async function buildPvGuest(debian: DebianPackages, cache: ContentCache): Promise<string> {
	const kernel = await fetchDebianKernel(debian, "cloud-amd64");
	const busybox = await debian.versions(["busybox-static"]);
	const inputs = {
		format: 1,
		sources: await hashTree([sourcePath("pv"), sourcePath("src/busybox.ts")]),
		kernel: kernel.package.version,
		busybox: busybox.map(({ version }) => version).join(),
	};
	const dir = await cache.cached("pv-guest", inputs, async (out) => {
		const entries = await busyboxEntries(debian, {
			inittab: await readSource("pv/inittab"),
			start: await readSource("pv/start"),
			console: "/dev/hvc0",
			prompt: "pv# ",
			modules: await planModules(kernel.modulesDir, MODULES),
		});
		await writeCpioArchive(entries, join(out, "pv-initramfs.cpio"));
	});
	return join(dir, "pv-initramfs.cpio");
}
