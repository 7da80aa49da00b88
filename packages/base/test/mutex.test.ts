import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { Mutex } from "../src/index.ts";

describe("Mutex", () => {
	test.prop([fc.array(fc.record({ turns: fc.nat(3), fails: fc.boolean() }), { maxLength: 20 })])(
		"runs one section at a time, in the order asked, whether they fail or not",
		async (sections) => {
			const mutex = new Mutex();
			const order: number[] = [];
			let inside = 0;
			const results = sections.map(({ turns, fails }, index) =>
				mutex.run(async () => {
					expect(++inside).toBe(1);
					order.push(index);
					for (let turn = 0; turn < turns; turn++) await Promise.resolve();
					inside--;
					if (fails) throw new RangeError(String(index));
					return index;
				}),
			);
			const settled = await Promise.allSettled(results);
			expect(order).toEqual(sections.map((_, index) => index));
			expect(settled.map(({ status }) => status)).toEqual(
				sections.map(({ fails }) => (fails ? "rejected" : "fulfilled")),
			);
		},
	);

	test("a section that throws before its first await lets the next one in", async () => {
		const mutex = new Mutex();
		const broken = mutex.run(() => {
			throw new RangeError("at once");
		});
		await expect(broken).rejects.toThrow(RangeError);
		await expect(mutex.run(async () => "next")).resolves.toBe("next");
	});
});
