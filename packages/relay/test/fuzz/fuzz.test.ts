import { expect, test } from "vitest";
import { fuzzQmp } from "./fuzz-qmp.ts";

test("framing, parsers, policy and rings refuse by errors of ours, whatever comes", () => {
	const report = fuzzQmp({ cases: 20_000, seed: Math.floor(Math.random() * 2 ** 31) });
	expect(report.cases).toBe(20_000);
	for (const what of ["value", "ring", "message", "request", "line", "command"])
		expect(report.refused[what], what).toBeGreaterThan(0);
});
