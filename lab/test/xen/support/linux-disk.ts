import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "@bulkhead/image";
import { buildGuestImages } from "../../../guests/src/build-guest-images.ts";
import type { Lab } from "../../../src/lab.ts";

const LINUX_DISK = "/var/lib/bulkhead/images/linux.img";

/** Puts files of the Linux guest's disk ("vmlinuz", "initrd") into a folder of dom0. */
export async function putFilesOfLinuxDisk(lab: Lab, names: readonly string[], folder: string): Promise<void> {
	const here = await mkdtemp(join(tmpdir(), "bulkhead-linux-disk-"));
	try {
		const disk = (await buildGuestImages()).files[LINUX_DISK] ?? "";
		for (const name of names) {
			const file = join(here, name);
			await runProgram(["xorriso", "-osirrox", "on", "-indev", disk, "-extract", `/${name}`, file], {
				timeoutMs: 60_000,
			});
			await lab.put(file, `${folder}/${name}`);
		}
	} finally {
		await rm(here, { recursive: true });
	}
}
