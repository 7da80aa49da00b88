import { describe, expect, test } from "vitest";
import { XlCfgError } from "../src/index.ts";
import { parse } from "./guests.ts";

describe("ten megabytes", () => {
	const size = 10 * 1024 * 1024;
	test.each([
		["one comment", () => `#${"x".repeat(size)}`],
		["one string", () => `a = "${"x".repeat(size)}"`],
		["one string of escapes", () => `a = "${"\\n".repeat(size / 2)}"`],
		["one open string", () => `a = "${"x".repeat(size)}`],
		["blanks", () => " ".repeat(size)],
		["carriage returns", () => "\r".repeat(size)],
		["newlines", () => "\n".repeat(size)],
		["junk", () => "-".repeat(size)],
		["broken lines", () => "a = yes\n".repeat(size / 8)],
		["a long list", () => `a = [ ${"'x',".repeat(size / 4)} ]`],
		["many appends to a list", () => "a += [ 1 ]\n".repeat(size / 11)],
		["many appends to a string", () => "a += 'x'\n".repeat(size / 9)],
		["many keys", () => Array.from({ length: size / 16 }, (_, index) => `key${index} = 1\n`).join("")],
	])("of %s are read, or refused, in linear time", (_, make) => {
		const text = make();
		const before = process.cpuUsage();
		expect(() => parse(text, { limitBytes: 2 * size })).toThrow(XlCfgError);
		const { user, system } = process.cpuUsage(before);
		// A quadratic reader would take hours; a linear one a few seconds of this process, however busy the machine is.
		expect((user + system) / 1e6).toBeLessThan(15);
	});
});
