import { describe, expect, it } from "vitest";
import { type GuestConfig, guestConfigFromJson } from "../src/index.ts";
import { HVM, PV, parse } from "./guests.ts";

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
		["version", 2, "config.version is none of 1"],
		["version", undefined, "config.version is none of 1"],
		["uuid", "x", "config.uuid is not a uuid"],
		["name", "-x", "config.name is no guest's name: The name begins with a dash"],
		["type", "pvh", "config.type is none of hvm, pv"],
		["memoryKiB", "1", "config.memoryKiB is not a whole number"],
		["memoryKiB", 1.5, "config.memoryKiB is not a whole number"],
		["vcpus", 0, "config.vcpus is not a whole number from 1 to 512"],
		["stub", undefined, "config.stub is missing"],
		["stub", { kernel: "relative" }, "config.stub.kernel is not an absolute path"],
		["stub", [], "config.stub is not an object"],
		["boot", "x", "config.boot is not a boot order"],
		["serials", ["tcp"], "config.serials[0] is none of pty"],
		["disks", {}, "config.disks is not a list of at most 64"],
		["acpi", 1, "config.acpi is not true or false"],
		["lifecycle", {}, "config.lifecycle.poweroff is none of destroy, restart, preserve"],
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

	it.each([null, undefined, 1, "x", []])("refuses %j", (value) => {
		expect(() => guestConfigFromJson(value)).toThrow("config is not an object");
	});
});
