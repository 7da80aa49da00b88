import { describe, expect, it, test } from "vitest";
import { findProxySocket } from "../src/qmp/proxy-socket.ts";
import type { QmpResults } from "../src/qmp/qmp-bench.ts";
import { reportQmp } from "../src/qmp/report.ts";
import { parseTrips } from "../src/qmp/trips.ts";

test("p99 is told beside the C proxy's, round by round", () => {
	const results: QmpResults = {
		startedAt: "2026-11-26T16:00:00.000Z",
		commit: "abc",
		lab: { release: "bookworm", xen: "4.17", kernel: "6.1" } as QmpResults["lab"],
		loadBefore: { dom0: "", machine: 1 },
		rounds: 2,
		alone: {
			"C proxy": [
				{ perSecond: 200, ms: [5, 5] },
				{ perSecond: 100, ms: [10, 10] },
			],
			relay: [
				{ perSecond: 180, ms: [5.5, 5.5] },
				{ perSecond: 90, ms: [11, 11] },
			],
		},
		crowd: [{ perSecond: 400, ms: [40, 40] }],
	};
	const report = reportQmp(results);
	expect(report).toMatch(/\| relay ÷ vchan-socket-proxy +\| 0\.90 +\| 1\.10 +\| 1\.10 +\|/);
	expect(report).toMatch(/\| relay, 16 clients at once +\| 400 \(400–400\) +\| 40\.00 \(40\.00–40\.00\)/);
	expect(report).toContain("Goal: p99 at most 1.20 of the C proxy's. It is 1.10: met.");
});

describe("the C proxy's socket", () => {
	const proxy = (domid: number): string =>
		`/usr/bin/vchan-socket-proxy --state-path=/x 9 /local/domain/9/device-model/${domid}/qmp-vchan /run/qmp-${domid} `;

	it("is that of the guest", () => {
		expect(findProxySocket(["init ", proxy(41), proxy(4)], 4)).toBe("/run/qmp-4");
		expect(findProxySocket([proxy(41)], 4)).toBeUndefined();
	});

	it("is not that of our program in the proxy's place", () => {
		const ours = proxy(4).replace("/usr/bin/vchan-socket-proxy", "node /usr/lib/bulkhead/vchan-socket-proxy.mjs");
		expect(findProxySocket([ours], 4)).toBeUndefined();
	});
});

test("round trips are read from the program's line", () => {
	expect(parseTrips("4000000 1000000 3000000")).toEqual({ perSecond: 500, ms: [1, 3] });
	expect(() => parseTrips("")).toThrow(RangeError);
});
