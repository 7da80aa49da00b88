import { execFileSync } from "node:child_process";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { extractVmlinux, findCompressedKernel } from "../src/extract-vmlinux.ts";

const KERNEL = Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(5000, "kernel ")]);

/** A file with the fields of the boot header that matter, and this payload after two sectors of setup. */
function bzImage(payload: Buffer): Buffer {
	const image = Buffer.alloc(3 * 512 + 100);
	image.writeUInt8(2, 0x1f1);
	image.write("HdrS", 0x202);
	image.writeUInt16LE(0x20f, 0x206);
	image.writeUInt32LE(100, 0x248);
	image.writeUInt32LE(payload.length, 0x24c);
	return Buffer.concat([image, payload, Buffer.from("what the linker put after it")]);
}

function size(bytes: number): Buffer {
	const word = Buffer.alloc(4);
	word.writeUInt32LE(bytes);
	return word;
}

const PACKED = {
	xz: Buffer.concat([execFileSync("xz", ["--check=crc32", "-c"], { input: KERNEL }), size(KERNEL.length)]),
	zstd: Buffer.concat([execFileSync("zstd", ["-q", "-c"], { input: KERNEL }), size(KERNEL.length)]),
	gzip: execFileSync("gzip", ["-n", "-c"], { input: KERNEL }),
};

describe("extractVmlinux", () => {
	let dir: string;
	beforeEach(async () => {
		dir = await mkdtemp(join(tmpdir(), "bulkhead-vmlinux-"));
	});
	afterEach(() => rm(dir, { recursive: true }));
	const extract = async (image: Buffer): Promise<Buffer> => {
		await writeFile(join(dir, "vmlinuz"), image);
		await extractVmlinux(join(dir, "vmlinuz"), join(dir, "vmlinux"));
		return readFile(join(dir, "vmlinux"));
	};

	it.each(Object.entries(PACKED))("unpacks %s", async (_name, payload) => {
		expect(await extract(bzImage(payload))).toEqual(KERNEL);
	});

	it("refuses a stream that is damaged or of another length than promised, and leaves no file", async () => {
		const damaged = Buffer.from(PACKED.xz);
		damaged.fill(0, 40, 60);
		await expect(extract(bzImage(damaged))).rejects.toMatchObject({ code: "malformed-bzimage" });
		const longer = Buffer.concat([PACKED.xz.subarray(0, -4), size(KERNEL.length + 1)]);
		await expect(extract(bzImage(longer))).rejects.toThrow("not to the promised");
		await expect(access(join(dir, "vmlinux"))).rejects.toThrow("ENOENT");
	});
});

describe("findCompressedKernel", () => {
	it.each([
		["an empty file", Buffer.alloc(0)],
		["a file without the header", Buffer.alloc(4096)],
		["a payload beyond the end", bzImage(PACKED.xz).subarray(0, 3 * 512 + 200)],
		["an unknown compression", bzImage(Buffer.alloc(64, 0x41))],
		["an absurd size", bzImage(Buffer.concat([PACKED.xz.subarray(0, -4), size(0xffff_ffff)]))],
	])("refuses %s", (_what, image) => {
		expect(() => findCompressedKernel(image)).toThrow("The kernel image");
	});
});
