import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkDisk } from "../src/check-disk.ts";
import { disk } from "./fixtures.ts";
import { qcow2Head } from "./images.ts";

const HOST = { images: { problem: async () => undefined } } as never;

let dir: string;
beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), "check-disk-"));
	await writeFile(join(dir, "empty"), "");
	await writeFile(join(dir, "raw"), Buffer.alloc(1024));
	await writeFile(join(dir, "alone.qcow2"), qcow2Head());
	await writeFile(join(dir, "backed.qcow2"), qcow2Head({ backing: 512n }));
	await mkdir(join(dir, "folder"));
});
afterAll(() => rm(dir, { recursive: true }));

describe("checkDisk", () => {
	it("wants at least one sector of a regular file or block device", async () => {
		await checkDisk(disk({ path: join(dir, "raw") }), HOST);
		await expect(checkDisk(disk({ path: join(dir, "empty") }), HOST)).rejects.toThrow("is smaller than one sector");
		await expect(checkDisk(disk({ path: join(dir, "folder") }), HOST)).rejects.toThrow("is a directory");
		await expect(checkDisk(disk({ path: "/dev/null" }), HOST)).rejects.toThrow(
			"is neither a regular file nor a block device",
		);
	});

	it("takes an image by its header, and refuses one that names other files", async () => {
		await checkDisk(disk({ path: join(dir, "alone.qcow2"), format: "qcow2" }), HOST);
		for (const [name, why] of [
			["backed.qcow2", "backing file"],
			["raw", "no image of that format"],
		] as const)
			await expect(checkDisk(disk({ path: join(dir, name), format: "qcow2" }), HOST)).rejects.toThrow(why);
	});

	it("says what the host lacks to serve images, and another way", async () => {
		const images = { problem: async () => ({ why: "nbd-client is missing", remedy: "Install nbd-client" }) };
		await expect(
			checkDisk(disk({ path: join(dir, "alone.qcow2"), format: "qcow2" }), { images } as never),
		).rejects.toMatchObject({
			code: "device-refused",
			remedy: "Install nbd-client; or make a raw image: qemu-img convert -O raw",
		});
	});

	it("has nothing to say of an empty CD drive", async () => {
		await checkDisk(disk({ cdrom: true, path: undefined }), HOST);
	});
});
