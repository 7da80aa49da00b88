import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { NativeSysfs } from "@bulkhead/hypervisor/native";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
	bindToPciback,
	driverOf,
	irqOf,
	pcibackDevices,
	pciDevices,
	resetDevice,
	resourcesOf,
	unbindFromPciback,
} from "../src/pci/pciback.ts";

const NIC = "0000:03:00.0";

/** Files as Linux has them below /sys; what is written into them stays there to be read. */
describe("PCI devices in sysfs", () => {
	let root: string;
	let sysfs: NativeSysfs;
	const file = async (path: string, text = ""): Promise<void> => {
		await mkdir(dirname(join(root, path)), { recursive: true });
		await writeFile(join(root, path), text);
	};
	const written = (path: string): Promise<string> => readFile(join(root, path), "utf8");

	beforeEach(async () => {
		root = await mkdtemp(join(tmpdir(), "bulkhead-sysfs-"));
		sysfs = new NativeSysfs(root);
		await file(`bus/pci/devices/${NIC}/irq`, "17\n");
		const lines = [
			"0x00000000f0000000 0x00000000f001ffff 0x0000000000040200",
			"0x000000000000c000 0x000000000000c01f 0x0000000000040101",
			"0x0000000000000000 0x0000000000000000 0x0000000000000000",
			"nonsense",
		];
		await file(`bus/pci/devices/${NIC}/resource`, `${lines.join("\n")}\n`);
		await file("bus/pci/drivers/e1000e/unbind");
		await file("bus/pci/drivers/e1000e/bind");
		await symlink("../../../bus/pci/drivers/e1000e", join(root, "bus/pci/devices", NIC, "driver"));
	});
	afterEach(() => rm(root, { recursive: true }));

	const loadPciback = async (slots: string): Promise<void> => {
		for (const name of ["new_slot", "remove_slot", "bind", "unbind"]) await file(`bus/pci/drivers/pciback/${name}`);
		await file("bus/pci/drivers/pciback/slots", slots);
	};

	it("are read: ports, memory by pages, interrupt, driver", async () => {
		expect(await pciDevices(sysfs)).toEqual([NIC]);
		expect(await resourcesOf(sysfs, NIC)).toEqual([
			{ kind: "memory", first: 0xf0000, count: 32 },
			{ kind: "ports", first: 0xc000, count: 32 },
		]);
		expect(await irqOf(sysfs, NIC)).toBe(17);
		expect(await driverOf(sysfs, NIC)).toBe("e1000e");
		expect(await irqOf(sysfs, "0000:04:00.0")).toBe(0);
		expect(await resourcesOf(sysfs, "0000:04:00.0")).toEqual([]);
	});

	it("go to pciback by its slot, which is named once", async () => {
		await loadPciback("0000:0a:00.0\n");
		expect(await bindToPciback(sysfs, NIC)).toBe("e1000e");
		expect(await written("bus/pci/drivers/e1000e/unbind")).toBe(NIC);
		expect(await written("bus/pci/drivers/pciback/new_slot")).toBe(NIC);
		expect(await written("bus/pci/drivers/pciback/bind")).toBe(NIC);
		await loadPciback(`0000:0a:00.0\n${NIC}\n`);
		await bindToPciback(sysfs, NIC);
		expect(await written("bus/pci/drivers/pciback/new_slot")).toBe("");
	});

	it("go back to their driver, slot and all", async () => {
		await loadPciback(`${NIC}\n`);
		await rm(join(root, "bus/pci/devices", NIC, "driver"));
		await symlink("../../../bus/pci/drivers/pciback", join(root, "bus/pci/devices", NIC, "driver"));
		await unbindFromPciback(sysfs, NIC, "e1000e");
		expect(await written("bus/pci/drivers/pciback/unbind")).toBe(NIC);
		expect(await written("bus/pci/drivers/pciback/remove_slot")).toBe(NIC);
		expect(await written("bus/pci/drivers/e1000e/bind")).toBe(NIC);
	});

	it("are reset by whichever file there is, and left alone when there is none", async () => {
		await loadPciback("");
		await resetDevice(sysfs, NIC);
		await file(`bus/pci/devices/${NIC}/reset`);
		await resetDevice(sysfs, NIC);
		expect(await written(`bus/pci/devices/${NIC}/reset`)).toBe("1");
		await file("bus/pci/drivers/pciback/do_flr");
		await resetDevice(sysfs, NIC);
		expect(await written("bus/pci/drivers/pciback/do_flr")).toBe(NIC);
	});

	it("cannot be given away without pciback, and a kernel's refusal has its errno", async () => {
		await expect(pcibackDevices(sysfs)).rejects.toMatchObject({
			code: "device-refused",
			remedy: expect.stringContaining("modprobe"),
		});
		await expect(bindToPciback(sysfs, NIC)).rejects.toMatchObject({ errno: "ENOENT" });
	});
});
