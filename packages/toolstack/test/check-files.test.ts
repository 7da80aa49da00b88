import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkFirmware, checkKernel, checkRamdisk } from "../src/check-files.ts";

let dir: string;
beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), "check-files-"));
	await writeFile(join(dir, "empty"), "");
	await writeFile(join(dir, "text"), "just text, ".repeat(100));
	await writeFile(join(dir, "elf"), Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(1000)]));
	await writeFile(join(dir, "raw.cpio"), `070701${"0".repeat(2042)}`);
	await mkdir(join(dir, "folder"));
});
afterAll(() => rm(dir, { recursive: true }));

describe("checkKernel", () => {
	it.each([
		["missing", "does not exist"],
		["folder", "is not a regular file"],
		["empty", "is empty"],
		["text", "is not a kernel (neither ELF nor bzImage)"],
		["text/below", "lies below something that is not a directory"],
	])("refuses %s: %s", async (name, why) => {
		const path = join(dir, name);
		await expect(checkKernel("kernel", path)).rejects.toMatchObject({
			code: "file-unusable",
			message: `The kernel ${JSON.stringify(path)} ${why}`,
			remedy: expect.any(String),
			fields: { role: "kernel", path },
		});
	});

	it("accepts an ELF file", async () => {
		await checkKernel("kernel", join(dir, "elf"));
	});
});

describe("checkRamdisk and checkFirmware", () => {
	it("tells a plain archive from a compressed one", async () => {
		expect(await checkRamdisk("ramdisk", join(dir, "raw.cpio"))).toEqual({ sizeKiB: 2, compressed: false });
		expect(await checkRamdisk("ramdisk", join(dir, "text"))).toEqual({ sizeKiB: 2, compressed: true });
	});

	it("refuses a missing BIOS by its role", async () => {
		await expect(checkFirmware("BIOS", join(dir, "missing"))).rejects.toThrow("The BIOS");
	});
});
