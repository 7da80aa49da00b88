import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileProbe, type Probe } from "./compile-probe.ts";

const MAC = "00:16:3e:00:00:01";
const OTHER = "00:16:3e:00:00:02";
const card = (id: string, mac = MAC): string[] => ["-device", `e1000,id=nic${id},netdev=net${id},mac=${mac}`];
const tap = (id: string, ifname = `vif7.${id}-emu`): string[] => [
	"-netdev",
	`type=tap,id=net${id},ifname=${ifname},script=no,downscript=no`,
];

describe("init finds the emulated nics among QEMU's arguments", () => {
	let probe: Probe;
	beforeAll(async () => {
		probe = await compileProbe("emulated-nics-probe", ["emulated-nics.c"]);
	}, 60_000);
	afterAll(() => probe[Symbol.asyncDispose]());

	test("each tap with the address of its card, whatever their order", async () => {
		expect(await probe.run([...card("0"), ...tap("0"), ...card("1", OTHER), ...tap("1")])).toEqual([
			`vif7.0-emu ${MAC}`,
			`vif7.1-emu ${OTHER}`,
		]);
		expect(await probe.run([...tap("1"), ...tap("0"), ...card("0"), ...card("1", OTHER)])).toEqual([
			`vif7.1-emu ${OTHER}`,
			`vif7.0-emu ${MAC}`,
		]);
	});

	test("none where there is none, and no other kind of netdev", async () => {
		expect(await probe.run(["-net", "none"])).toEqual([""]);
		expect(await probe.run(["-netdev", "user,id=net0", ...card("0")])).toEqual([""]);
		expect(await probe.run(["-name", "-netdev", "-device"])).toEqual([""]);
	});

	test("a tap as people write it", async () => {
		expect(await probe.run(["-netdev", "tap,ifname=t0,id=x", "-device", `rtl8139,mac=${MAC},netdev=x`])).toEqual([
			`t0 ${MAC}`,
		]);
	});

	test("options within a quoted value are no options", async () => {
		const card = `e1000,rombar=a,,mac=${OTHER},netdev=net0,mac=${MAC}`;
		expect(await probe.run([...tap("0"), "-device", card])).toEqual([`vif7.0-emu ${MAC}`]);
	});

	test.each([
		["a tap without a name", ["-netdev", "type=tap,id=net0", ...card("0")], "a tap has no usable ifname"],
		["a name that is empty", [...tap("0", ""), ...card("0")], "a tap has no usable ifname"],
		["a name that is too long", [...tap("0", "sixteen-letters-"), ...card("0")], "a tap has no usable ifname"],
		["a tap without an id", ["-netdev", "type=tap,ifname=t0", ...card("0")], "a tap has no card with a mac"],
		["a tap without a card", [...tap("0"), ...card("1")], "a tap has no card with a mac"],
		["a card without an address", [...tap("0"), "-device", "e1000,netdev=net0"], "a tap has no card with a mac"],
		["an address that is too long", [...tap("0"), ...card("0", `${MAC}0`)], "a tap has no card with a mac"],
		[
			"more than sixteen",
			Array.from({ length: 17 }, (_, id) => [...card(`${id}`), ...tap(`${id}`)]).flat(),
			"there are too many emulated nics",
		],
	])("refuses %s", async (_, args, problem) => {
		expect(await probe.run(args)).toEqual([`problem: ${problem}`]);
	});

	test("takes the longest name and sixteen nics", async () => {
		expect(await probe.run([...tap("0", "fifteen-letters"), ...card("0")])).toEqual([`fifteen-letters ${MAC}`]);
		const most = Array.from({ length: 16 }, (_, id) => [...card(`${id}`), ...tap(`${id}`)]).flat();
		expect(await probe.run(most)).toHaveLength(16);
	});
});
