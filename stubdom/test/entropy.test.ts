import { afterAll, beforeAll, expect, test } from "vitest";
import { compileProbe, type Probe } from "./compile-probe.ts";

let probe: Probe;
beforeAll(async () => {
	probe = await compileProbe("entropy-probe", ["entropy.c"], ["-Wl,--wrap=ioctl"]);
}, 60_000);
afterAll(() => probe[Symbol.asyncDispose]());

test("init credits the seed of the toolstack, byte for byte, with 256 bits", async () => {
	const seed = "00017f80ff".padEnd(62, "ab").concat("FE");
	expect(await probe.run([seed])).toEqual([`256 bits, 32 bytes: ${seed.toLowerCase()}`]);
});

test.each([
	["too short", "ab".repeat(31)],
	["too long", "ab".repeat(33)],
	["of other characters", "g".repeat(64)],
	["empty", ""],
])("a seed that is %s is none", async (_, seed) => {
	expect(await probe.run([seed])).toEqual(["the toolstack's random-seed is no seed"]);
});
