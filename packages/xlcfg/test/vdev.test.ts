import { InvalidInputError } from "@bulkhead/base";
import { describe, expect, it } from "vitest";
import { parseVdev } from "../src/index.ts";

describe("parseVdev", () => {
	it.each([
		["xvda", "xen", 0, 0, 51712],
		["xvdb", "xen", 1, 0, 51728],
		["xvdq", "xen", 16, 0, 268439552],
		["xvdaa", "xen", 26, 0, (1 << 28) | (26 << 8)],
		["xvda1", "xen", 0, 1, 51713],
		["xvda16", "xen", 0, 16, (1 << 28) | 16],
		["d1p2", "xen", 1, 2, 51730],
		["d0", "xen", 0, 0, 51712],
		["hda", "ide", 0, 0, 768],
		["hdb", "ide", 1, 0, 832],
		["hdc", "ide", 2, 0, 5632],
		["hdd", "ide", 3, 0, 5696],
		["hda63", "ide", 0, 63, 831],
		["sda", "scsi", 0, 0, 2048],
		["sdb", "scsi", 1, 0, 2064],
		["sdp15", "scsi", 15, 15, 2303],
		["51712", "xen", 0, 0, 51712],
		["0xca00", "xen", 0, 0, 51712],
		["268439552", "xen", 16, 0, 268439552],
		["768", "ide", 0, 0, 768],
		["5696", "ide", 3, 0, 5696],
		["2303", "scsi", 15, 15, 2303],
	])("gives %s its place and number", (name, bus, index, partition, devnum) => {
		expect(parseVdev(name)).toEqual({ bus, index, partition, devnum });
	});

	it("reaches the last disk of the xen bus and no further", () => {
		expect(parseVdev("d1048575").index).toBe(2 ** 20 - 1);
		expect(() => parseVdev("d1048576")).toThrow("lies beyond the 1048576 disks");
	});

	it.each([
		..."hde hda64 sdq sda16 xvda256 xvd hd vda HDA hda01 xvda00 0 51968 0x4000000 d".split(" "),
		...["", "hda ", "xvda\n", "xvdzzzzzz", "d1p", "d01"],
	])("refuses %j", (name) => {
		expect(() => parseVdev(name)).toThrow(InvalidInputError);
	});
});
