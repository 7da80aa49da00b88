import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkDisk, type DiskHost } from "../src/check-disk.ts";
import { disk } from "./fixtures.ts";
import { qcow2Head } from "./images.ts";

const hostWith = (problem: { why: string; remedy: string } | undefined): DiskHost =>
	({
		hypervisor: {
			images: { problem: async () => problem },
			scripts: { problem: async (path: string) => (path === "/scripts/block-x" ? undefined : "does not exist") },
		},
		xenstore: {
			findList: async () => ["0", "5"],
			find: async (path: string) => (path === "/local/domain/5/name" ? "storage" : undefined),
		},
		scriptDirectory: "/scripts",
	}) as never;
const HOST = hostWith(undefined);

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
		const host = hostWith({ why: "nbd-client is missing", remedy: "Install nbd-client" });
		await expect(checkDisk(disk({ path: join(dir, "alone.qcow2"), format: "qcow2" }), host)).rejects.toMatchObject({
			code: "device-refused",
			remedy: "Install nbd-client; or make a raw image: qemu-img convert -O raw",
		});
	});

	it("finds a script by its name, and leaves to it what the target is", async () => {
		expect(await checkDisk(disk({ path: "iqn.x", script: "block-x" }), HOST)).toMatchObject({
			script: "/scripts/block-x",
		});
		await expect(checkDisk(disk({ path: "iqn.x", script: "block-y" }), HOST)).rejects.toThrow("does not exist");
	});

	it("leaves path and script to the domain that serves a disk, which must be there", async () => {
		expect(await checkDisk(disk({ path: "/dev/vg/x", backend: "storage" }), HOST)).toMatchObject({
			backendDomid: 5,
			script: "/scripts/block",
		});
		await expect(checkDisk(disk({ backend: "gone" }), HOST)).rejects.toMatchObject({ code: "no-backend-domain" });
		await expect(checkDisk(disk({ backend: "5", format: "qcow2" }), HOST)).rejects.toThrow("not raw");
	});

	it("has nothing to say of an empty CD drive", async () => {
		await checkDisk(disk({ cdrom: true, path: undefined }), HOST);
	});
});
