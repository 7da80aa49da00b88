import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";
import { Slots } from "../src/native/slots.ts";

test.prop([
	fc.integer({ min: 1, max: 4 }),
	fc.array(fc.record({ turns: fc.nat(3), fails: fc.boolean() }), { maxLength: 20 }),
])("never more sections than slots, started in the order asked, all finished", async (count, sections) => {
	const slots = new Slots(count);
	const started: number[] = [];
	let inside = 0;
	const settled = await Promise.allSettled(
		sections.map(({ turns, fails }, index) =>
			slots.run(async () => {
				expect(++inside).toBeLessThanOrEqual(count);
				started.push(index);
				for (let turn = 0; turn < turns; turn++) await Promise.resolve();
				inside--;
				if (fails) throw new RangeError();
			}),
		),
	);
	expect(started).toEqual(sections.map((_, index) => index));
	expect(settled.map(({ status }) => status)).toEqual(sections.map(({ fails }) => (fails ? "rejected" : "fulfilled")));
});
