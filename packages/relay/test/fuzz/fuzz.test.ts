import { expect, test } from "vitest";
import { fuzzQmp } from "./fuzz-qmp.ts";

/** The long run is `npm run fuzz`. */
const CASES = 4_000;

test("framing, parsers, policy and rings refuse by errors of ours, whatever comes", () => {
	const report = fuzzQmp({ cases: CASES, seed: Math.floor(Math.random() * 2 ** 31) });
	expect(report.cases).toBe(CASES);
	for (const what of ["value", "ring", "message", "request", "line", "command"])
		expect(report.refused[what], what).toBeGreaterThan(0);
});
