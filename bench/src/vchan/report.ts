import { formatSummary, pairedRatio, quantile, summarize } from "../statistics.ts";
import { formatTable } from "../table.ts";
import type { PairFigures, RingFigures } from "./measure-rings.ts";
import { BASELINE, PAIR_NAMES, type PairName } from "./pairs.ts";
import { describeRings, type RingSize } from "./ring-sizes.ts";
import type { VchanResults } from "./vchan-bench.ts";

const NS_PER_SECOND = 1e9;
const NS_PER_MS = 1e6;

/** The results as Markdown, ready for docs/measurements.md. */
export function reportVchan(results: VchanResults): string {
	const { startedAt, commit, lab, loadBefore, rounds, trips, measured } = results;
	const heading = [
		`${startedAt.slice(0, 16).replace("T", " ")} UTC, commit ${commit}; Debian ${lab.release}, Xen ${lab.xen}, Linux ${lab.kernel},`,
		"emulated by QEMU without KVM, clients in dom0. Client first, server second. Medians with quartiles of",
		`${rounds} rounds, ${trips} round trips of 64 bytes in each; ratios are medians of those within a round.`,
		`Load of the machine before: ${loadBefore.machine.toFixed(2)}.`,
	].join("\n");
	const tables = measured.map(reportRings);
	return `${[heading, ...tables].join("\n\n")}\n`;
}

function reportRings({ place, size, figures }: VchanResults["measured"][number]): string {
	const pairs = PAIR_NAMES.flatMap((name) => (figures[name] ? [{ name, own: figures[name] }] : []));
	const base = baseOf(figures);
	const head = [
		"client – server",
		...["to the server, KiB/s", "÷ C", "to the client, KiB/s", "÷ C"],
		...["round trips a second", "÷ C", "p50, ms", "p99, ms", "p99 ÷ C"],
	];
	const rows = pairs.map(({ name, own }) => [
		name,
		...[kib(own.toServer), ratio(own.toServer, base.toServer), kib(own.toClient), ratio(own.toClient, base.toClient)],
		...[formatSummary(summarize(tripRates(own))), ratio(tripRates(own), tripRates(base))],
		...[milliseconds(tripTimes(own, 0.5)), milliseconds(tripTimes(own, 0.99))],
		ratio(tripTimes(own, 0.99), tripTimes(base, 0.99)),
	]);
	const title = `### Server in ${place === "dom0" ? "dom0" : "a PV guest"}, rings of ${describeRings(size)}`;
	return [title, formatTable(head, rows), verdict(size, pairs, base)].join("\n\n");
}

function baseOf(figures: RingFigures): PairFigures {
	const base = figures[BASELINE];
	if (!base) throw new RangeError("There is nothing to compare with");
	return base;
}

/** The least of the throughputs that any pair with an end of ours has, either way, beside C's. */
function verdict(size: RingSize, pairs: readonly { name: PairName; own: PairFigures }[], base: PairFigures): string {
	const ours = pairs.filter(({ name }) => name !== BASELINE);
	const ratios = ours.flatMap(({ own }) => [
		pairedRatio(own.toServer, base.toServer),
		pairedRatio(own.toClient, base.toClient),
	]);
	const least = Math.min(...ratios);
	const isMet = size === "default" ? least >= 0.8 : least > 1;
	const goal = size === "default" ? "at least 0.80" : "above 1.00";
	return `Goal: ${goal} of C's throughput. The least is ${least.toFixed(2)}: ${isMet ? "met" : "not met"}.`;
}

/** Of each round. */
function tripRates({ trips }: PairFigures): number[] {
	return trips.map((times) => (times.length * NS_PER_SECOND) / times.reduce((sum, each) => sum + each, 0));
}

/** Of each round, in nanoseconds. */
function tripTimes({ trips }: PairFigures, part: number): number[] {
	return trips.map((times) => quantile(times, part));
}

function kib(rates: readonly number[]): string {
	return formatSummary(summarize(rates.map((each) => each / 1024)));
}

function milliseconds(times: readonly number[]): string {
	return formatSummary(summarize(times.map((each) => each / NS_PER_MS)), 2);
}

function ratio(own: readonly number[], base: readonly number[]): string {
	return pairedRatio(own, base).toFixed(2);
}
