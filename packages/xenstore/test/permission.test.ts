import { domId, ProtocolError } from "@bulkhead/base";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { formatPermission, formatPermissions, parsePermission } from "../src/permission.ts";

describe("permissions", () => {
	it.each([
		["n0", 0, "none"],
		["r5", 5, "read"],
		["w12", 12, "write"],
		["b32751", 32751, "both"],
	] as const)("read and write %s", (text, domid, access) => {
		expect(parsePermission(text)).toEqual({ domid, access });
		expect(formatPermission({ domid: domId(domid), access })).toBe(text);
	});

	it.each(["", "n", "x5", "r-1", "r5 ", "R5", "r32752", "r123456"])("refuse %j", (text) => {
		expect(() => parsePermission(text)).toThrow(ProtocolError);
	});

	property.prop([fc.string({ maxLength: 12 })])("any text is an entry or a ProtocolError", (text) => {
		try {
			expect(parsePermission(text).domid).toBeGreaterThanOrEqual(0);
		} catch (error) {
			expect(error).toBeInstanceOf(ProtocolError);
		}
	});

	it("must name an owner", () => {
		expect(() => formatPermissions([])).toThrow("owner");
	});
});
