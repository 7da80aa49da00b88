import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeviceModelConfig } from "@bulkhead/xlcfg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkBios, checkDeviceModel } from "../src/check-device-model.ts";
import type { InstalledImages } from "../src/check-host.ts";
import { disk, hvmConfig } from "./fixtures.ts";

const KIB = 1024;
const at = (place: DeviceModelConfig["place"]): { deviceModel: DeviceModelConfig } => ({
	deviceModel: { place, restrict: false, args: [], argsHvm: [], argsPv: [] },
});

describe("checkDeviceModel", () => {
	let folder: string;
	let installed: InstalledImages;
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "bulkhead-check-dm-"));
		const kernel = Buffer.alloc(2048 * KIB);
		kernel.write("HdrS", 0x202);
		await writeFile(join(folder, "vmlinuz"), kernel);
		await writeFile(join(folder, "initrd"), Buffer.alloc(1024 * KIB, 1));
		await writeFile(join(folder, "vmlinux"), "\x7fELF and more");
		await writeFile(join(folder, "rootfs"), "070701 and more");
		await writeFile(join(folder, "program"), "#!/bin/sh");
		installed = {
			firmware: "",
			bios: "",
			ovmf: join(folder, "absent.fd"),
			qemu: join(folder, "program"),
			miniosKernel: join(folder, "ioemu-stubdom.gz"),
			stubKernel: join(folder, "vmlinux"),
			stubRamdisk: join(folder, "rootfs"),
			stubCommandLine: "",
			stubMemoryKiB: 128 * KIB,
		} as InstalledImages;
	});
	afterAll(() => rm(folder, { recursive: true }));

	it("gives a stub domain room for the files of a direct kernel boot", async () => {
		const boot = { kernel: join(folder, "vmlinuz"), ramdisk: join(folder, "initrd") };
		expect((await checkDeviceModel(hvmConfig(), installed)).stub?.memoryKiB).toBe(128 * KIB);
		expect((await checkDeviceModel(hvmConfig(boot), installed)).stub?.memoryKiB).toBe(131 * KIB);
		const tight = hvmConfig({ ...boot, stub: { memoryKiB: 66 * KIB } });
		await expect(checkDeviceModel(tight, installed)).rejects.toMatchObject({ code: "not-enough-memory" });
	});

	it("refuses what is no kernel, and a disk in a boot file's place", async () => {
		const text = hvmConfig({ kernel: join(folder, "initrd") });
		await expect(checkDeviceModel(text, installed)).rejects.toThrow(/not a kernel that QEMU boots/);
		const taken = hvmConfig({
			kernel: join(folder, "vmlinuz"),
			disks: [disk({ vdev: "xvdy", devnum: 268_441_600, index: 24, bus: "xen" })],
		});
		await expect(checkDeviceModel(taken, installed)).rejects.toMatchObject({ code: "disk-name-taken" });
	});

	it("wants an executable QEMU in domain 0, and no stub domain", async () => {
		await expect(checkDeviceModel(hvmConfig(at("dom0")), installed)).rejects.toThrow(/may not be executed/);
		await chmod(installed.qemu, 0o755);
		expect(await checkDeviceModel(hvmConfig(at("dom0")), installed)).toEqual({ stub: undefined, qemu: installed.qemu });
		const other = hvmConfig({ deviceModel: { ...at("dom0").deviceModel, binary: "/nonexistent/qemu" } });
		await expect(checkDeviceModel(other, installed)).rejects.toMatchObject({ code: "file-unusable" });
	});

	it("has MiniOS' defaults, and says which file is missing", async () => {
		const config = hvmConfig({ ...at("minios"), bios: "rombios" });
		await expect(checkDeviceModel(config, installed)).rejects.toThrow(
			/MiniOS stub domain's kernel ".*ioemu-stubdom.gz" does not exist/,
		);
		await writeFile(installed.miniosKernel, Buffer.from([0x1f, 0x8b, 8]));
		expect((await checkDeviceModel(config, installed)).stub).toEqual({
			kernel: installed.miniosKernel,
			ramdisk: undefined,
			memoryKiB: 28 * KIB,
			commandLine: "",
		});
		await expect(checkDeviceModel({ ...config, name: "my guest" }, installed)).rejects.toMatchObject({
			code: "unsafe-argument",
		});
	});

	it("names the package of a missing OVMF", async () => {
		await expect(checkBios(hvmConfig({ bios: "ovmf" }), installed.ovmf)).rejects.toMatchObject({
			code: "file-unusable",
			remedy: expect.stringContaining("package ovmf"),
		});
	});
});
