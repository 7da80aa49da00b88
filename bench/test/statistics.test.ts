import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { formatSummary, median, pairedRatio, quantile, summarize } from "../src/statistics.ts";

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

describe("pairedRatio", () => {
	it("compares round by round", () => {
		expect(pairedRatio([1, 20, 3], [2, 10, 3])).toBe(1);
	});
});

describe("quantile", () => {
	it("lies between the two nearest", () => {
		expect(quantile([4, 0, 2], 0.75)).toBe(3);
	});
});

it("a summary is its median and its quartiles", () => {
	expect(formatSummary(summarize([1, 2, 3]))).toBe("2 (2–3)");
	expect(formatSummary(summarize([1, 2, 3]), 1)).toBe("2.0 (1.5–2.5)");
});
