import { DeadlineError, ProtocolError } from "@bulkhead/base";
import { describe, expect, test } from "vitest";
import { awaitMedium, type Drive, dropMedium, ejectMedium, insertMedium } from "../src/device-model/drive-medium.ts";
import { flushDisks } from "../src/device-model/flush.ts";
import { DeviceError } from "../src/errors.ts";
import { cdrom, hvmConfig } from "./fixtures.ts";

type Answers = Record<string, unknown>;

/** A drive whose QEMU gives these answers; what it is told is kept. */
function drive(answers: Answers): { drive: Drive; told: [string, unknown][] } {
	const told: [string, unknown][] = [];
	const rings = {
		executeQmp: async (_: unknown, command: string, args: unknown) => {
			told.push([command, args]);
			const answer = answers[command];
			return typeof answer === "function" ? answer() : (answer ?? {});
		},
	};
	return { drive: { rings, guest: hvmConfig().uuid, disk: cdrom() }, told };
}

const SETS = [
	{ "fdset-id": 1, fds: [{ fd: 12, opaque: "save" }] },
	{ "fdset-id": 4, fds: [{ fd: 21, opaque: "stub-devid:832" }] },
	{ "fdset-id": 7, fds: [{ fd: 22 }, { fd: 23, opaque: "stub-devid:5632" }] },
];

describe("a CD drive of QEMU", () => {
	test("is opened against the guest's lock", async () => {
		const { drive: one, told } = drive({ "query-status": { running: true, status: "running" } });
		await ejectMedium(one);
		expect(told.slice(1)).toEqual([["eject", { id: "ide-5632", force: true }]]);
	});

	test("is left alone while QEMU is stopped, or does not say", async () => {
		for (const [status, error] of [
			[{ running: false, status: "paused" }, DeviceError],
			[{ running: "yes" }, ProtocolError],
		] as const) {
			const { drive: one, told } = drive({ "query-status": status });
			await expect(ejectMedium(one)).rejects.toThrow(error);
			expect(told.map(([command]) => command)).toEqual(["query-status"]);
		}
	});

	test("is let go of by the descriptors of its own media only", async () => {
		const looks = [SETS, SETS.slice(0, 2)];
		const { drive: one, told } = drive({ "query-fdsets": () => looks.shift() });
		await dropMedium(one);
		expect(told.slice(1, 2)).toEqual([["remove-fd", { "fdset-id": 7 }]]);
	});

	test("is not believed to be let go of while its descriptor is there", async () => {
		const { drive: one } = drive({ "query-fdsets": SETS });
		await expect(dropMedium(one)).rejects.toThrow(DeviceError);
	});

	test("takes what the stub's init has handed over, read-only", async () => {
		const { drive: one, told } = drive({ "query-fdsets": SETS });
		await insertMedium(one, await awaitMedium(one, performance.now()));
		expect(told[1]).toEqual([
			"blockdev-change-medium",
			{ id: "ide-5632", filename: "/dev/fdset/7", format: "host_device", "read-only-mode": "read-only" },
		]);
	});

	test("is not waited for beyond the deadline", async () => {
		const { drive: one } = drive({ "query-fdsets": SETS.slice(0, 2) });
		await expect(awaitMedium(one, performance.now() - 1)).rejects.toThrow(DeadlineError);
	});

	test.each([
		null,
		"sets",
		{},
		[{ "fdset-id": "7", fds: [{ fd: 1, opaque: "stub-devid:5632" }] }],
		[{ "fdset-id": -7, fds: [{ fd: 1, opaque: "stub-devid:5632" }] }],
		[{ "fdset-id": 7, fds: "all" }],
		[{ "fdset-id": 7, fds: [{ fd: 1, opaque: { toString: 1 } }] }],
		[{ "fdset-id": 7, fds: [{ fd: 1, opaque: "x".repeat(5000) }] }],
		Array.from({ length: 300 }, () => ({ "fdset-id": 7, fds: [] })),
	])("is not fooled by an odd answer: %j", async (answer) => {
		const { drive: one, told } = drive({ "query-fdsets": answer });
		await expect(dropMedium(one)).rejects.toThrow(ProtocolError);
		await expect(awaitMedium(one, performance.now() + 1000)).rejects.toThrow(ProtocolError);
		expect(told.map(([command]) => command)).toEqual(["query-fdsets", "query-fdsets"]);
	});
});

describe("writing out before a destroy", () => {
	const config = hvmConfig();
	const rings = (executeQmp: () => Promise<unknown>): never => ({ executeQmp }) as never;

	test("is QEMU's stop", async () => {
		const told: unknown[] = [];
		const executeQmp = (...args: unknown[]): Promise<unknown> => Promise.resolve(told.push(args));
		expect(await flushDisks({ config, rings: { executeQmp } as never })).toBe(true);
		expect(told).toEqual([[config.uuid, "stop", undefined, 3000]]);
	});

	test("does not hold up a destroy: a QEMU that is dead, or never answers", async () => {
		expect(await flushDisks({ config, rings: rings(() => Promise.reject(new Error("gone"))) })).toBe(false);
		const since = performance.now();
		expect(await flushDisks({ config, rings: rings(() => new Promise(() => {})) })).toBe(false);
		expect(performance.now() - since).toBeLessThan(4000);
	});
});
