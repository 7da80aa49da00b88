import { expect, it } from "vitest";
import { isLoopback } from "../src/index.ts";

it.each([
	["127.0.0.1", true],
	["127.0.0.0", true],
	["127.255.255.255", true],
	["126.255.255.255", false],
	["128.0.0.0", false],
	["0.0.0.0", false],
	["::1", true],
	["0:0:0:0:0:0:0:1", true],
	["::", false],
	["::2", false],
	["fe80::1", false],
])("%s is loopback: %s", (address, expected) => {
	expect(isLoopback(address)).toBe(expected);
});
