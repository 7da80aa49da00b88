import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileProbe, type Probe } from "./compile-probe.ts";

describe("init fetches the files of a direct kernel boot", () => {
	let probe: Probe;
	let folder: string;
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "bulkhead-boot-files-"));
		const flags = [`-DDISK_PREFIX="${folder}/xvd"`, `-DBOOT_FOLDER="${folder}/boot"`, "-Wno-unused-function"];
		probe = await compileProbe("boot-files-probe", ["boot-files.c", "dm-argv.c", "small-file.c"], flags);
	}, 60_000);
	afterAll(async () => {
		await probe[Symbol.asyncDispose]();
		await rm(folder, { recursive: true });
	});

	test("leaves the kernel where it is, and gives QEMU a copy of the ramdisk in memory of its size", async () => {
		const ramdisk = Buffer.alloc(3 * 1024 * 1024 + 512, "initramfs ");
		await writeFile(join(folder, "xvdy"), "kernel");
		await writeFile(join(folder, "xvdz"), ramdisk);
		const args = ["-kernel", `${folder}/xvdy`, "-initrd", `${folder}/xvdz`, "-append", "-initrd"];
		const [mounted, ...after] = await probe.run(args);
		expect(mounted).toBe(`mounted mode=0700,size=${(768 + 2) * 4096}`);
		expect(after).toEqual(["-kernel", `${folder}/xvdy`, "-initrd", `${folder}/boot/ramdisk`, "-append", "-initrd"]);
		expect(ramdisk.equals(await readFile(join(folder, "boot/ramdisk")))).toBe(true);
	});

	test("touches no arguments that name other files", async () => {
		const args = ["-kernel", "/elsewhere/kernel", "-initrd", "/elsewhere/initrd", "-append", `${folder}/xvdz`];
		expect(await probe.run(args)).toEqual(args);
		expect(await probe.run(["-initrd"])).toEqual(["-initrd"]);
	});

	test("says why a ramdisk cannot be kept", async () => {
		await writeFile(join(folder, "xvdx"), "ramdisk");
		// The copy of before is there.
		expect(await probe.run(["-initrd", `${folder}/xvdx`])).toContain(
			"problem: the guest's ramdisk cannot be kept in memory: File exists",
		);
	});
});
