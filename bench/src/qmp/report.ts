import { formatSummary, pairedRatio, quantile, summarize } from "../statistics.ts";
import { formatTable } from "../table.ts";
import { CROWD, type QmpResults } from "./qmp-bench.ts";
import type { Trips } from "./trips.ts";

const GOAL = 1.2;

/** The results as Markdown, ready for docs/measurements.md. */
export function reportQmp({ startedAt, commit, lab, loadBefore, rounds, alone, crowd }: QmpResults): string {
	const { "C proxy": proxy, relay } = alone;
	const heading = [
		`${startedAt.slice(0, 16).replace("T", " ")} UTC, commit ${commit}; Debian ${lab.release}, Xen ${lab.xen}, Linux ${lab.kernel},`,
		`emulated by QEMU without KVM. Medians with quartiles of ${rounds} rounds, query-status each; ratios are medians of those`,
		`within a round. Load of the machine before: ${loadBefore.machine.toFixed(2)}.`,
	].join("\n");
	const head = ["QMP of a stub domain", "round trips a second", "p50, ms", "p99, ms"];
	const rows = [
		[`vchan-socket-proxy, ${proxy[0]?.ms.length ?? 0} one after the other`, ...figures(proxy)],
		["relay, the same", ...figures(relay)],
		["relay ÷ vchan-socket-proxy", ...ratios(relay, proxy)],
		[`relay, ${CROWD} clients at once`, ...figures(crowd)],
	];
	const p99 = pairedRatio(times(relay, 0.99), times(proxy, 0.99));
	const verdict = `Goal: p99 at most ${GOAL.toFixed(2)} of the C proxy's. It is ${p99.toFixed(2)}: ${p99 <= GOAL ? "met" : "not met"}.`;
	return `${[heading, formatTable(head, rows), verdict].join("\n\n")}\n`;
}

function figures(rounds: readonly Trips[]): string[] {
	return [
		formatSummary(summarize(rates(rounds))),
		formatSummary(summarize(times(rounds, 0.5)), 2),
		formatSummary(summarize(times(rounds, 0.99)), 2),
	];
}

function ratios(own: readonly Trips[], others: readonly Trips[]): string[] {
	const all = [
		pairedRatio(rates(own), rates(others)),
		pairedRatio(times(own, 0.5), times(others, 0.5)),
		pairedRatio(times(own, 0.99), times(others, 0.99)),
	];
	return all.map((each) => each.toFixed(2));
}

/** Of each round. */
function rates(rounds: readonly Trips[]): number[] {
	return rounds.map(({ perSecond }) => perSecond);
}

/** Of each round, in milliseconds. */
function times(rounds: readonly Trips[], part: number): number[] {
	return rounds.map(({ ms }) => quantile(ms, part));
}
