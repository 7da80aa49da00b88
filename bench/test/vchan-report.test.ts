import { expect, test } from "vitest";
import type { PairFigures } from "../src/vchan/measure-rings.ts";
import { reportVchan } from "../src/vchan/report.ts";
import type { VchanResults } from "../src/vchan/vchan-bench.ts";

const figures = (toServerKib: number[], toClientKib: number, ms: number[]): PairFigures => ({
	toServer: toServerKib.map((kib) => kib * 1024),
	toClient: toServerKib.map(() => toClientKib * 1024),
	trips: toServerKib.map(() => ms.map((each) => each * 1e6)),
});

test("each pair is told beside C's, round by round, and the least decides", () => {
	const pairs = {
		"C – C": figures([1000, 2000, 1000], 1000, [1, 1, 1]),
		"our client – C": figures([900, 1800, 900], 850, [2, 2, 2]),
		"C – our server": figures([1100, 2200, 1100], 1200, [1, 1, 1]),
		"ours – ours": figures([2000, 2000, 2000], 790, [1, 2, 3]),
	};
	const results: VchanResults = {
		startedAt: "2026-11-26T16:00:00.000Z",
		commit: "abc",
		lab: { release: "bookworm", xen: "4.17", kernel: "6.1" } as VchanResults["lab"],
		loadBefore: { dom0: "", machine: 1 },
		rounds: 3,
		trips: 3,
		measured: [
			{ place: "dom0", size: "default", figures: pairs },
			{ place: "guest", size: "64k", figures: { "C – C": pairs["C – C"], "our client – C": pairs["our client – C"] } },
		],
	};
	const report = reportVchan(results);
	const [, small = "", large = ""] = report.split("### ");
	expect(small).toContain("Server in dom0, rings of 1024 and 2048 bytes");
	expect(small).toMatch(/\| our client – C +\| 900 \(900–1350\) +\| 0\.90 +\| 850 \(850–850\) +\| 0\.85 +\| 500 \(/);
	expect(small).toMatch(
		/\| 500 \(500–500\) +\| 0\.50 +\| 2\.00 \(2\.00–2\.00\) +\| 2\.98 \(2\.98–2\.98\) +\| 2\.98 +\|/,
	);
	expect(small).toContain("Goal: at least 0.80 of C's throughput. The least is 0.79: not met.");
	expect(large).toContain("Server in a PV guest, rings of 64 KiB each");
	expect(large).not.toContain("our server");
	expect(large).toContain("Goal: above 1.00 of C's throughput. The least is 0.85: not met.");
});
