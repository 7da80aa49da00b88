import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoopDevice, LoopDevices } from "@bulkhead/hypervisor";
import type { GuestConfig } from "@bulkhead/xlcfg";
import { describe, expect, it, onTestFinished } from "vitest";
import { bootFilesOf, checkBootDisks } from "../src/device-model/direct-boot.ts";
import { closeBootFiles, openBootFile } from "../src/devices/boot-file.ts";
import type { HeldDisk } from "../src/devices/open-disk.ts";
import { disk, hvmConfig, pvConfig } from "./fixtures.ts";

const booted = (values: Partial<GuestConfig> = {}): GuestConfig =>
	hvmConfig({ kernel: "/k", ramdisk: "/r", ...values });

describe("direct kernel boot", () => {
	it("makes disks y and z of an HVM guest's stub domain, and of no other guest's", () => {
		expect(bootFilesOf(booted()).map(({ role, disk: { vdev, devnum } }) => [role, vdev, devnum])).toEqual([
			["kernel", "xvdy", 268_441_600],
			["ramdisk", "xvdz", 268_441_856],
		]);
		expect(bootFilesOf(booted({ ramdisk: undefined }))).toHaveLength(1);
		expect(bootFilesOf(hvmConfig())).toEqual([]);
		expect(bootFilesOf(pvConfig())).toEqual([]);
		const deviceModel = { place: "dom0" as const, restrict: false, args: [], argsHvm: [], argsPv: [] };
		expect(bootFilesOf(booted({ deviceModel }))).toEqual([]);
	});

	it("refuses a disk in their place", () => {
		const taken = disk({ vdev: "xvdz", devnum: 268_441_856, index: 25, bus: "xen" });
		expect(() => checkBootDisks(booted({ disks: [taken] }))).toThrow(/Disk xvdz has the place .* ramdisk/);
		expect(() => checkBootDisks(booted({ disks: [taken], ramdisk: undefined }))).not.toThrow();
		expect(() => checkBootDisks(hvmConfig({ disks: [taken] }))).not.toThrow();
	});

	it("boots from copies of whole sectors, the owner's files untouched, and removes them", async () => {
		const folder = await mkdtemp(join(tmpdir(), "bulkhead-boot-"));
		onTestFinished(() => rm(folder, { recursive: true }));
		const [kernel, ramdisk] = [join(folder, "vmlinuz"), join(folder, "initrd")];
		await writeFile(kernel, Buffer.alloc(1024, 1));
		await writeFile(ramdisk, Buffer.alloc(1025, 2));
		const attached: string[] = [];
		const released: string[] = [];
		const loops: LoopDevices = {
			attach: async (path, { readOnly }): Promise<LoopDevice> => {
				expect(readOnly).toBe(true);
				attached.push(path);
				return { path: "/dev/loop9", physicalDevice: "7:9", release: () => released.push(path) };
			},
		};
		const openDisks = new Map<string, HeldDisk>();
		const config = booted({ kernel, ramdisk });
		const bootFolder = join(folder, "guest.boot");
		const places = { bootFolder, qemuFolder: "", qemuLog: "", imageFolder: "", xenRunFolder: "" };
		const context = { config, openDisks, places, hypervisor: { loops } as never };
		for (const file of bootFilesOf(config)) await openBootFile(context, file);
		expect([...openDisks.keys()]).toEqual(["xvdy", "xvdz"]);
		expect((await stat(join(bootFolder, "kernel"))).size).toBe(1024);
		const copy = await readFile(join(bootFolder, "ramdisk"));
		expect([copy.length, copy[1024], copy[1025], copy[1535]]).toEqual([1536, 2, 0, 0]);
		expect((await stat(ramdisk)).size).toBe(1025);
		await closeBootFiles(context);
		await closeBootFiles(context);
		expect(released).toEqual(attached);
		expect(openDisks.size).toBe(0);
		expect((await readdir(folder)).sort()).toEqual(["initrd", "vmlinuz"]);
	});
});
