import { join } from "node:path";
import { type ContentCache, type DebianPackages, hashTree, writeCpioArchive } from "@bulkhead/image";
import { busyboxEntries } from "./busybox.ts";
import { CHANNEL_SOURCES } from "./channel-files.ts";
import { readSource, sourcePath } from "./source-files.ts";

/** The PV guest's initramfs: the stub domain's kernel, which it runs on, has every driver built in. @returns its path */
export async function buildPvGuest(debian: DebianPackages, cache: ContentCache): Promise<string> {
	const busybox = await debian.versions(["busybox-static"]);
	const inputs = {
		format: 2,
		sources: await hashTree([sourcePath("pv"), sourcePath("src/busybox.ts"), ...CHANNEL_SOURCES]),
		busybox: busybox.map(({ version }) => version).join(),
	};
	const dir = await cache.cached("pv-guest", inputs, async (out) => {
		const entries = await busyboxEntries(debian, {
			inittab: await readSource("pv/inittab"),
			start: await readSource("pv/start"),
			console: "/dev/hvc0",
			prompt: "pv# ",
			modules: [],
		});
		await writeCpioArchive(entries, join(out, "pv-initramfs.cpio"));
	});
	return join(dir, "pv-initramfs.cpio");
}
