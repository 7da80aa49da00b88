import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { median, summarize } from "../src/statistics.ts";

describe("summarize", () => {
	it("tells the median, the spread and the quartiles", () => {
		expect(summarize([5, 1, 4, 2, 3])).toEqual({
			count: 5,
			median: 3,
			min: 1,
			max: 5,
			lowerQuartile: 2,
			upperQuartile: 4,
		});
	});

	it("takes the middle between the two middle values of an even number", () => {
		expect(median([1, 2, 10, 20])).toBe(6);
	});

	it("refuses an empty row", () => {
		expect(() => summarize([])).toThrow(RangeError);
	});

	test.prop([fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 1 })])("keeps its order", (values) => {
		const { min, lowerQuartile, median: middle, upperQuartile, max } = summarize(values);
		const row = [min, lowerQuartile, middle, upperQuartile, max];
		expect(row).toEqual([...row].sort((a, b) => a - b));
		expect(min).toBe(Math.min(...values));
		expect(max).toBe(Math.max(...values));
	});
});
