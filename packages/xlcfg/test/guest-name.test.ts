import { describe, expect, it } from "vitest";
import { guestNameProblem } from "../src/index.ts";

describe("guestNameProblem", () => {
	it.each(["a", "web-1", "My guest (old)", "a,b", "x".repeat(64), "1a", "a.b_c+d@e"])("lets %j be a name", (name) => {
		expect(guestNameProblem(name)).toBeUndefined();
	});

	it.each<[string, string]>([
		["", "empty"],
		["x".repeat(65), "longer than 64"],
		["-a", "dash"],
		["12", "digits only"],
		[" a", "space"],
		["a ", "space"],
		["..", "dots only"],
		["aabbccdd-0011-2233-4455-66778899aabb", "uuid"],
		["aabbccdd00112233445566778899aabb", "uuid"],
		..."/'\"\\`\n\r\t\x00\x1b\x7f\x9bé😀".split("").map((char): [string, string] => [`a${char}b`, "not allowed"]),
	])("refuses %j", (name, why) => {
		expect(guestNameProblem(name)).toContain(why);
	});
});
