import { describe, expect, it } from "vitest";
import { type GuestConfig, guestConfigFromJson } from "../src/index.ts";
import { HVM, PV, parse } from "./guests.ts";

const VERSION_1 =
	"uuid name type memoryKiB vcpus commandLine bios boot disks serials vga videoMemoryKiB nographic hdType acpi stub".split(
		" ",
	);

const stored = (config: GuestConfig): Record<string, unknown> => JSON.parse(JSON.stringify(config));

describe("guestConfigFromJson", () => {
	it.each([HVM, PV, `${HVM}disk = [ "/a,raw,hda", ",hdc:cdrom" ]\nserial = "pty"\nhap = 1\nstubdomain_memory = 99`])(
		"reads back what was stored",
		(text) => {
			const { config } = parse(text);
			expect(guestConfigFromJson(stored(config))).toEqual(config);
		},
	);

	it.each([
		["version", 3, "config.version is none of 2"],
		["version", undefined, "config.version is none of 2"],
		["uuid", "x", "config.uuid is not a uuid"],
		["name", "-x", "config.name is no guest's name: The name begins with a dash"],
		["type", "xen", "config.type is none of hvm, pvh, pv"],
		["type", "pvh", "config.kernel is missing"],
		["memoryKiB", "1", "config.memoryKiB is not a whole number"],
		["memoryKiB", 1.5, "config.memoryKiB is not a whole number"],
		["vcpus", 0, "config.vcpus is not a whole number from 1 to 512"],
		["stub", undefined, "config.stub is missing"],
		["stub", { kernel: "relative" }, "config.stub.kernel is not an absolute path"],
		["stub", [], "config.stub is not an object"],
		["boot", "x", "config.boot is not a boot order"],
		["serials", ["-x"], "config.serials[0] is not usable"],
		["disks", {}, "config.disks is not a list of at most 64"],
		["nics", [{}], "config.nics[0].devid is not a whole number"],
		["deviceModel", undefined, "config.deviceModel is missing"],
		["maxMemoryKiB", 8192, "config.maxMemoryKiB is less than memoryKiB"],
		["p9", [{ tag: "a", path: "b" }], "config.p9[0] is not usable: The 9pfs share: path is written like"],
		["p9", [{ tag: "a", path: "/b,tag=c" }], "config.p9[0] is not usable: The 9pfs share: tag is given twice"],
		["viridian", ["x"], 'config.viridian[0] is not usable: "x" is no Hyper-V interface'],
		["cpus", ["3-1"], "config.cpus[0] is not usable"],
		["acpi", 1, "config.acpi is not true or false"],
		["lifecycle", {}, "config.lifecycle.poweroff is none of destroy, restart, rename-restart"],
		["colour", "red", "config.colour is not known"],
	])("refuses %s = %j", (key, value, why) => {
		const broken = { ...stored(parse(HVM).config), [key]: value };
		expect(() => guestConfigFromJson(broken)).toThrow(why);
	});

	it("refuses a disk whose numbers were changed", () => {
		const config = stored(parse(`${HVM}disk = [ "/a,raw,hda" ]`).config);
		const [disk] = config.disks as Record<string, unknown>[];
		const withDisk = (change: object): object => ({ ...config, disks: [{ ...disk, ...change }] });
		expect(() => guestConfigFromJson(withDisk({ devnum: 769 }))).toThrow("disagree with its vdev");
		expect(() => guestConfigFromJson(withDisk({ path: undefined }))).toThrow("config.disks[0].path is missing");
		expect(() => guestConfigFromJson(withDisk({ readOnly: true }))).toThrow("cannot be emulated");
		expect(() => guestConfigFromJson({ ...config, disks: [disk, disk] })).toThrow("There are two disks hda");
	});

	it("refuses what only a guest of another type may have", () => {
		const { nics } = parse(`${HVM}vif = [ "" ]`).config;
		const config = stored(parse(PV).config);
		expect(() => guestConfigFromJson({ ...config, nics })).toThrow("config.nics has an emulated card");
		expect(() => guestConfigFromJson({ ...config, stub: {} })).toThrow("config.stub is for a stub domain");
	});

	it("lifts what a daemon of version 1 stored", () => {
		const { config } = parse(`${HVM}disk = [ "/a,raw,hda" ]\nserial = "pty"\ndevice_model_args = [ "-a" ]`);
		const { deviceModel, softReset, ...fields } = { ...config, ...config.lifecycle };
		const old = {
			...Object.fromEntries(Object.entries(fields).filter(([key]) => VERSION_1.includes(key))),
			version: 1,
			lifecycle: {
				poweroff: "destroy",
				reboot: "restart",
				watchdog: "destroy",
				crash: "destroy",
				deviceModelFailure: "destroy",
			},
			deviceModelArgs: ["-a"],
		};
		expect(deviceModel?.args).toEqual(["-a"]);
		expect(softReset).toBe("soft-reset");
		expect(guestConfigFromJson(old)).toEqual(config);
		expect(() => guestConfigFromJson({ ...old, nics: [] })).toThrow("config.");
		expect(() => guestConfigFromJson({ ...old, deviceModelArgs: "-a" })).toThrow(
			"config.deviceModel.args is not a list",
		);
	});

	it.each([null, undefined, 1, "x", []])("refuses %j", (value) => {
		expect(() => guestConfigFromJson(value)).toThrow("config is not an object");
	});
});
