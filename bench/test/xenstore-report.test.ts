import { expect, test } from "vitest";
import { CASE_NAMES, type Case } from "../src/xenstore/cases.ts";
import { reportXenstore } from "../src/xenstore/report.ts";
import type { PeerTimes, XenstoreResults } from "../src/xenstore/xenstore-bench.ts";

const ALL: PeerTimes = { bulkhead: [10, 20], libxenstore: [20, 40], pyxs: [40, 80] };
const CASES = Object.fromEntries(CASE_NAMES.map((name) => [name, ALL])) as Record<Case, PeerTimes>;
const RESULTS: XenstoreResults = {
	startedAt: "2026-11-27T02:00:00.000Z",
	endedAt: "2026-11-27T02:05:00.000Z",
	commit: "abc1234",
	place: ["Where it ran."],
	versions: { bulkhead: "Node v20", libxenstore: "4.17", pyxs: "0.4" },
	loadBefore: 0.5,
	rounds: 2,
	times: { xenstored: { ...CASES, "socket-many": { bulkhead: [], libxenstore: [15, 15], pyxs: [] } } },
};

const rowOf = (title: string): string[] =>
	(
		reportXenstore(RESULTS)
			.split("\n")
			.find((line) => line.includes(title)) ?? ""
	)
		.split("|")
		.map((cell) => cell.trim());

test("ratios are medians of those within a round", () => {
	expect(rowOf("read, one after the other").slice(2, 8)).toEqual([
		"15 (13–18)",
		"30 (25–35)",
		"60 (50–70)",
		"0.50",
		"0.25",
		"66667",
	]);
});

test("a case of one program has no ratios", () => {
	expect(rowOf("a bare socket of C").slice(2, 8)).toEqual(["–", "15 (15–15)", "–", "–", "–", "–"]);
});

test("a server that was not measured has no table", () => {
	expect(reportXenstore(RESULTS)).toContain("### On xenstored\n");
	expect(reportXenstore(RESULTS)).not.toContain("### On oxenstored\n");
});
