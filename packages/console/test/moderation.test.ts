import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { Moderation } from "../src/ring/moderation.ts";

describe("Moderation", () => {
	it("listens to events that move much, however many", () => {
		const moderation = new Moderation();
		for (let event = 0; event < 1000; event++) expect(moderation.afterEvent(2048, event / 100)).toBeUndefined();
		expect(moderation.isLooking).toBe(false);
	});

	it("listens to small events at a person's pace", () => {
		const moderation = new Moderation();
		for (let event = 0; event < 1000; event++) expect(moderation.afterEvent(1, event * 10)).toBeUndefined();
	});

	it("looks now and then at a guest of many small events, the oftener the more it writes", () => {
		const moderation = new Moderation();
		let first: number | undefined;
		for (let event = 0; event < 51; event++) first = moderation.afterEvent(8, 1);
		expect(first).toBe(4);
		expect([2000, 2000, 2000, 600, 10, 10, 10, 10, 10].map((moved) => moderation.afterLook(moved, true))).toEqual([
			2, 1, 1, 1, 2, 4, 8, 16, 20,
		]);
		expect(moderation.isLooking).toBe(true);
		expect(moderation.afterLook(0, true)).toBe(20);
		expect(moderation.afterLook(0, false)).toBeUndefined();
		expect(moderation.isLooking).toBe(false);
	});

	const step = fc.record({ moved: fc.integer({ min: 0, max: 4096 }), notified: fc.boolean(), ms: fc.nat(30) });
	test.prop([fc.array(step, { maxLength: 300 })])(
		"never waits longer than 20 ms nor looks oftener than each",
		(steps) => {
			const moderation = new Moderation();
			let now = 0;
			for (const { moved, notified, ms } of steps) {
				now += ms;
				const next = moderation.isLooking ? moderation.afterLook(moved, notified) : moderation.afterEvent(moved, now);
				expect(next === undefined).toBe(!moderation.isLooking);
				if (next !== undefined) expect(next >= 1 && next <= 20).toBe(true);
			}
		},
	);
});
