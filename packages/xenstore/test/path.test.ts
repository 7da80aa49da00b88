import { InvalidInputError } from "@bulkhead/base";
import { describe, expect, it } from "vitest";
import { isXenstorePath, watchPath, xenstorePath } from "../src/path.ts";

describe("xenstorePath", () => {
	it.each([
		"/",
		"/local/domain/0",
		"/vm/5f9d3c2e-0000-4000-8000-000000000001",
		"name",
		"device/vbd/51712",
		"/a_b@c-d",
		`/${"x".repeat(3071)}`,
		"x".repeat(2048),
	])("takes %s", (text) => {
		expect(xenstorePath(text)).toBe(text);
	});

	it.each([
		["", "empty"],
		["//", "element"],
		["/a//b", "element"],
		["/a/", "slash"],
		["/a b", "characters"],
		["/a\0b", "characters"],
		["/ä", "characters"],
		["/a.b", "characters"],
		["@releaseDomain", "special"],
		[`/${"x".repeat(3072)}`, "longer than 3072"],
		["x".repeat(2049), "longer than 2048"],
	])("refuses %j", (text, why) => {
		expect(isXenstorePath(text)).toBe(false);
		expect(() => xenstorePath(text)).toThrow(InvalidInputError);
		expect(() => xenstorePath(text)).toThrow(why);
	});
});

describe("watchPath", () => {
	it("takes the special names too, and nothing stranger", () => {
		expect(watchPath("@releaseDomain")).toBe("@releaseDomain");
		expect(watchPath("/a")).toBe("/a");
		expect(() => watchPath("@")).toThrow(InvalidInputError);
		expect(() => watchPath("@a b")).toThrow(InvalidInputError);
	});
});
