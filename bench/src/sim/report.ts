import { cpus, loadavg } from "node:os";
import { formatTable } from "../table.ts";

/** Milliseconds for each guest: medians. */
interface Times {
	wall: number;
	/** Of all threads of this process: other programs on the machine do not show in it. */
	cpu: number;
	/** CPU of a fixed calculation at the same time. */
	reference: number;
}

/** One kind of guest, made in one way. */
export interface SimCase {
	kind: "hvm" | "pv";
	way: "one after the other" | "side by side";
	guests: number;
	/** Of the first tenth. */
	first: Times;
	/** Of the last tenth. */
	last: Times;
	all: Times;
	/** Of this process, at the end. */
	residentMiB: number;
}

export interface SimResults {
	/** ISO 8601. */
	startedAt: string;
	cases: SimCase[];
}

/** What a guest costs at the end beside the beginning, each in units of the fixed calculation. */
export function lastOverFirst({ first, last }: SimCase): number {
	return last.cpu / last.reference / (first.cpu / first.reference);
}

/** Markdown for docs/measurements.md. */
export function reportSim({ startedAt, cases }: SimResults): string {
	const head = [
		"guests",
		"what is timed",
		"CPU, first tenth",
		"CPU, last tenth",
		"last ÷ first",
		"… in units of a fixed calculation",
		"wall, all",
		"RSS at the end",
	];
	const rows = cases.map((found) => {
		const { kind, way, guests, first, last, all, residentMiB } = found;
		return [
			`${guests} ${kind}, ${way}`,
			way === "side by side" ? "create" : "create and destroy",
			`${first.cpu.toFixed(1)} ms`,
			`${last.cpu.toFixed(1)} ms`,
			(last.cpu / first.cpu).toFixed(2),
			lastOverFirst(found).toFixed(2),
			`${all.wall.toFixed(1)} ms`,
			`${residentMiB.toFixed(0)} MiB`,
		];
	});
	const load = loadavg()
		.map((value) => value.toFixed(1))
		.join(", ");
	return `Taken: ${startedAt}, Node ${process.version}, ${cpus().length} processors, load at the end ${load}.\n\n${formatTable(head, rows)}\n`;
}
