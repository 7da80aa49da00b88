import { expect, test } from "vitest";
import type { ConsoleResults } from "../src/console/console-bench.ts";
import { reportConsole } from "../src/console/report.ts";

const point = (guests: number, processes: number, pssKiB: number) => ({
	guests,
	processes: Array.from({ length: processes }, () => ({ pid: 1, program: "p", pssKiB: 0, rssKiB: 0, anonymousKiB: 0 })),
	pssKiB,
	anonymousKiB: 0,
});
const speed = (kib: number, echoMs: number) => ({ bytesPerSecond: [kib * 1024], echoMs: [echoMs], keptTails: 0 });

test("ratios are to each peer, and memory is that of a further guest", () => {
	const results: ConsoleResults = {
		startedAt: "2026-11-26T16:00:00.000Z",
		commit: "abc",
		lab: { release: "bookworm", xen: "4.17", kernel: "6.1" } as ConsoleResults["lab"],
		loadBefore: { dom0: "", machine: 1 },
		bytes: 256 * 1024,
		transfer: {
			xenconsoled: speed(100, 2),
			"QEMU in dom0": speed(200, 2),
			"relay, pty": speed(300, 1),
			"relay, socket": speed(400, 1),
		},
		memory: {
			xl: [point(0, 0, 0), point(1, 1, 10_240), point(8, 8, 81_920)],
			bulkhead: [point(0, 1, 100_000), point(1, 1, 100_100), point(8, 1, 100_800)],
		},
	};
	const report = reportConsole(results);
	expect(report).toMatch(/\| relay, socket +\| 400 \(400–400\) +\| 4\.00 +\| 2\.00 +\| 1\.0 \(1\.0–1\.0\) +\|/);
	expect(report).toContain("A further guest: 10.00 MiB and 0.10 MiB, 0.010 of it.");
});
