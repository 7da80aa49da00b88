import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileProbe, type Probe } from "./compile-probe.ts";

describe("init reads QEMU's arguments from dm-argv", () => {
	let probe: Probe;
	beforeAll(async () => {
		probe = await compileProbe("dm-argv-probe", ["dm-argv.c"]);
	}, 60_000);
	afterAll(() => probe[Symbol.asyncDispose]());

	test("in the order of their numbers, not of their text", async () => {
		expect(await probe.run(["1000=d", "999=c", "002=b", "001=a"])).toEqual(["a", "b", "c", "d"]);
	});

	test("verbatim: spaces, commas, empty text", async () => {
		expect(await probe.run(["001=-name", "002=", "003=a guest, with=all"])).toEqual(["-name", "", "a guest, with=all"]);
	});

	test("with the restore descriptor put in wherever the marker stands", async () => {
		expect(await probe.run(["001=-incoming", "002=$STUBDOM_RESTORE_INCOMING_ARG"])).toEqual(["-incoming", "fd:7"]);
		expect(await probe.run(["001=x$STUBDOM_RESTORE_INCOMING_ARGy"])).toEqual(["xfd:7y"]);
	});

	test.each([
		["no arguments at all", [], "dm-argv is missing"],
		["a key that is no number", ["001=a", "extra=b"], "dm-argv holds a key that is no number"],
		["a key of too many digits", ["0000001=a"], "dm-argv holds a key that is no number"],
		["a NUL inside a value", ["001=-name", "002=a%0b"], "an argument in dm-argv holds a NUL"],
		["more than 1024", Array.from({ length: 1025 }, (_, i) => `${i + 1}=x`), "dm-argv holds too many arguments"],
	])("refuses %s", async (_, args, problem) => {
		expect(await probe.run(args)).toEqual([`problem: ${problem}`]);
	});

	test("takes exactly 1024", async () => {
		expect(await probe.run(Array.from({ length: 1024 }, (_, i) => `${i + 1}=x`))).toHaveLength(1024);
	});
});
