import { cpus, loadavg } from "node:os";
import { formatTable } from "../table.ts";

/** One kind of guest, made in one way. Milliseconds for each guest: medians. */
export interface SimCase {
	kind: "hvm" | "pv";
	way: "one after the other" | "side by side";
	/** Of the first tenth. */
	firstMs: number;
	/** Of the last tenth. */
	lastMs: number;
	medianMs: number;
	/** Of this process, at the end. */
	residentMiB: number;
}

export interface SimResults {
	/** ISO 8601. */
	startedAt: string;
	guests: number;
	cases: SimCase[];
}

/** Markdown for docs/measurements.md. */
export function reportSim({ startedAt, guests, cases }: SimResults): string {
	const head = ["guests", "what is timed", "first tenth", "last tenth", "last ÷ first", "all", "RSS at the end"];
	const rows = cases.map(({ kind, way, firstMs, lastMs, medianMs, residentMiB }) => [
		`${guests} ${kind}, ${way}`,
		way === "side by side" ? "create" : "create and destroy",
		`${firstMs.toFixed(1)} ms`,
		`${lastMs.toFixed(1)} ms`,
		(lastMs / firstMs).toFixed(2),
		`${medianMs.toFixed(1)} ms`,
		`${residentMiB.toFixed(0)} MiB`,
	]);
	const load = loadavg()
		.map((value) => value.toFixed(1))
		.join(", ");
	return `Taken: ${startedAt}, Node ${process.version}, ${cpus().length} processors, load at the end ${load}.\n\n${formatTable(head, rows)}\n`;
}
