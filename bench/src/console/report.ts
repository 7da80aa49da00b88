import type { MemoryPoint } from "../create/measure-memory.ts";
import { median, summarize } from "../statistics.ts";
import { formatTable } from "../table.ts";
import type { ConsoleResults } from "./console-bench.ts";
import { CONSOLE_SERVERS } from "./console-guests.ts";

/** The results as Markdown, ready for docs/measurements.md. */
export function reportConsole(results: ConsoleResults): string {
	const { startedAt, commit, lab, loadBefore, transfer, memory } = results;
	const heading = [
		`${startedAt.slice(0, 16).replace("T", " ")} UTC, commit ${commit}; Debian ${lab.release}, Xen ${lab.xen}, Linux ${lab.kernel},`,
		`emulated by QEMU without KVM. Load of the machine before: ${loadBefore.machine.toFixed(2)}.`,
	].join("\n");
	const tables = [
		...(transfer ? [reportTransfer(transfer, results.bytes)] : []),
		...(memory ? [reportMemory(memory)] : []),
	];
	return `${[heading, ...tables].join("\n\n")}\n`;
}

function reportTransfer(transfer: NonNullable<ConsoleResults["transfer"]>, bytes: number): string {
	const speed = (server: (typeof CONSOLE_SERVERS)[number]): number => median(transfer[server].bytesPerSecond);
	const rows = CONSOLE_SERVERS.map((server) => {
		const rate = summarize(transfer[server].bytesPerSecond.map((each) => each / 1024));
		const echo = summarize(transfer[server].echoMs);
		return [
			server,
			`${Math.round(rate.median)} (${Math.round(rate.min)}–${Math.round(rate.max)})`,
			(speed(server) / speed("xenconsoled")).toFixed(2),
			(speed(server) / speed("QEMU in dom0")).toFixed(2),
			`${echo.median.toFixed(1)} (${echo.lowerQuartile.toFixed(1)}–${echo.upperQuartile.toFixed(1)})`,
		];
	});
	const head = [
		`${bytes / 1024} KiB of output`,
		"KiB/s: median (min–max)",
		"÷ xenconsoled",
		"÷ QEMU",
		"an echo, ms: median (quartiles)",
	];
	const kept = CONSOLE_SERVERS.filter((server) => transfer[server].keptTails > 0).map(
		(server) =>
			`${server} kept the end of ${transfer[server].keptTails} transfers until its guest wrote again; their rate is that until then.`,
	);
	return [formatTable(head, rows), ...kept].join("\n\n");
}

function reportMemory({ xl, bulkhead }: NonNullable<ConsoleResults["memory"]>): string {
	const rows = xl.map(({ guests, pssKiB, processes }, at) => {
		const ours = bulkhead[at];
		return [`${guests}`, `${processes.length}`, mib(pssKiB), `${ours?.processes.length ?? 0}`, mib(ours?.pssKiB ?? 0)];
	});
	const [theirs, ours] = [perFurtherGuest(xl), perFurtherGuest(bulkhead)];
	const head = ["guests", "xl's QEMUs", "PSS, MiB", "relays", "PSS, MiB"];
	const verdict = `A further guest: ${mib(theirs)} MiB and ${mib(ours)} MiB, ${(ours / theirs).toFixed(3)} of it.`;
	return `${formatTable(head, rows)}\n\n${verdict}`;
}

/** Between the first guest and the last, in KiB. */
function perFurtherGuest(points: readonly MemoryPoint[]): number {
	const [first, last] = [points.find(({ guests }) => guests > 0), points.at(-1)];
	if (!first || !last || last.guests === first.guests) return Number.NaN;
	return (last.pssKiB - first.pssKiB) / (last.guests - first.guests);
}

const mib = (kib: number): string => (kib / 1024).toFixed(2);
