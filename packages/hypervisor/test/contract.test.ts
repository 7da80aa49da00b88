import { describe, expect, test, vi } from "vitest";
import { type ContractHost, contractRows, runRows, tinyPvKernel } from "../src/contract/index.ts";
import { rows } from "../src/contract/rows.ts";

describe("contractRows", () => {
	test("every row has a name of its own", () => {
		const names = contractRows(async () => expect.fail("opened")).map(({ name }) => name);
		expect(new Set(names).size).toBe(names.length);
		expect(names.length).toBeGreaterThan(40);
	});
});

describe("rows", () => {
	test("opens a host for each row and closes it, also when the row fails", async () => {
		const close = vi.fn(async () => {});
		const open = vi.fn(async () => ({ close }) as unknown as ContractHost);
		const [holds, fails] = rows("area", open, {
			holds: async () => {},
			fails: async () => {
				throw new RangeError("row");
			},
		});
		expect(open).not.toHaveBeenCalled();
		await holds?.run();
		await expect(fails?.run()).rejects.toThrow(RangeError);
		expect(open).toHaveBeenCalledTimes(2);
		expect(close).toHaveBeenCalledTimes(2);
		expect(fails?.name).toBe("area: fails");
	});
});

describe("runRows", () => {
	test("goes on after a failure and reports each row in order", async () => {
		const results = [];
		for await (const result of runRows([
			{ name: "a", run: async () => {} },
			{
				name: "b",
				run: async () => {
					throw new RangeError("no");
				},
			},
			{ name: "c", run: async () => {} },
		]))
			results.push(result);
		expect(results).toEqual([
			{ row: "a", ok: true, ms: expect.any(Number) },
			{
				row: "b",
				ok: false,
				ms: expect.any(Number),
				error: expect.objectContaining({ code: "internal", message: "no" }),
			},
			{ row: "c", ok: true, ms: expect.any(Number) },
		]);
	});
});

describe("tinyPvKernel", () => {
	test.each(["report", "idle"] as const)("%s is a loadable ELF file with the notes that Xen asks for", (behaviour) => {
		const file = Buffer.from(tinyPvKernel(behaviour));
		expect(file.toString("latin1", 0, 4)).toBe("\x7fELF");
		const load = 64;
		expect(file.readUInt32LE(load)).toBe(1);
		expect(Number(file.readBigUInt64LE(load + 8)) + Number(file.readBigUInt64LE(load + 32))).toBe(file.length);
		expect(file.readBigUInt64LE(24)).toBe(file.readBigUInt64LE(load + 16));
		const notes = load + 56;
		expect(file.readUInt32LE(notes)).toBe(4);
		const start = Number(file.readBigUInt64LE(notes + 8));
		const types: number[] = [];
		for (let at = start; at < start + Number(file.readBigUInt64LE(notes + 32)); ) {
			expect(file.toString("latin1", at + 12, at + 16)).toBe("Xen\0");
			types.push(file.readUInt32LE(at + 8));
			at += 16 + Math.ceil(file.readUInt32LE(at + 4) / 4) * 4;
		}
		expect(types.sort((a, b) => a - b)).toEqual([1, 3, 5, 6, 8]);
	});
});
