import { describe, expect, test } from "vitest";
import { isEmulated } from "../src/device-model/qemu-args.ts";
import { checkAttach } from "../src/hotplug/attach-disk.ts";
import { checkDrive } from "../src/hotplug/change-medium.ts";
import { checkDetach, findDisk } from "../src/hotplug/detach-disk.ts";
import { cdrom, disk, hvmConfig, pvConfig } from "./fixtures.ts";

const xvdb = disk({ vdev: "xvdb", devnum: 51728, index: 1, bus: "xen" });
const xvdf = disk({ vdev: "xvdf", devnum: 51792, index: 5, bus: "xen" });
const runtime = { guest: { uuid: hvmConfig().uuid } };

describe("a disk for a running guest", () => {
	test("is refused when its name or its number is taken", () => {
		expect(() => checkAttach(disk(), pvConfig())).toThrow(expect.objectContaining({ code: "device-exists" }));
	});

	test("of a PV guest may be anything else", () => {
		expect(checkAttach(xvdb, pvConfig())).toBeUndefined();
		expect(checkAttach(cdrom(), pvConfig())).toBeUndefined();
	});

	test("of an HVM guest is a PV disk: no CD, none that would have to be emulated", () => {
		for (const refused of [cdrom(), disk({ vdev: "hdb", devnum: 832, index: 1 })])
			expect(() => checkAttach(refused, hvmConfig())).toThrow(expect.objectContaining({ code: "device-refused" }));
		expect(checkAttach(xvdf, hvmConfig({ hdType: "ide" }))).toBeUndefined();
		expect(checkAttach(xvdb, hvmConfig())).toContain("until the guest is started again");
	});
});

describe("a disk to be taken from a running guest", () => {
	test("is found by name and by number", () => {
		expect(findDisk([xvdb, xvdf], "51792")).toBe(xvdf);
		expect(findDisk([xvdb, xvdf], "xvdb")).toBe(xvdb);
		expect(() => findDisk([xvdb], "xvdc")).toThrow(expect.objectContaining({ code: "no-such-device" }));
	});

	test("stays when QEMU emulates it, and goes when it came at run time", () => {
		const config = hvmConfig({ disks: [disk(), xvdb, cdrom()] });
		for (const each of config.disks)
			expect(() => checkDetach(each, { config, runtime })).toThrow(expect.objectContaining({ code: "device-refused" }));
		expect(() => checkDetach(xvdb, { config, runtime: { ...runtime, attachedDisks: ["xvdb"] } })).not.toThrow();
		expect(() => checkDetach(disk(), { config: pvConfig(), runtime })).not.toThrow();
	});

	test("is emulated when QEMU has an argument for it", () => {
		expect(isEmulated(xvdf, { type: "hvm", hdType: "ahci" })).toBe(true);
		expect(isEmulated(xvdf, { type: "hvm", hdType: "ide" })).toBe(false);
		expect(isEmulated(xvdb, { type: "pvh", hdType: "ide" })).toBe(false);
	});

	test("is no drive unless it is a CD", () => {
		expect(() => checkDrive(xvdb)).toThrow(expect.objectContaining({ code: "device-refused" }));
		expect(() => checkDrive(cdrom())).not.toThrow();
	});
});
