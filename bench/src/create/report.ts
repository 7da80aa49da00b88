import type { Summary } from "../statistics.ts";
import { formatTable } from "../table.ts";
import type { CreateResults } from "./create-results.ts";
import { countedRounds, pairedRatio, summarizeSteps, summarizeTime, TIMES, type TimeName } from "./derived-times.ts";
import type { MemoryPoint } from "./measure-memory.ts";
import type { Round } from "./timed-pairs.ts";
import type { RequestCounts } from "./xenstored-trace.ts";

/** The results as Markdown, ready for docs/measurements.md. */
export function reportCreate(results: CreateResults): string {
	const sections = [
		heading(results),
		...results.cases.map(
			({ pairCase, rounds }) => `### Case ${pairCase.name}: ${pairCase.title}\n\n${reportCase(rounds)}`,
		),
		reportStarts(results),
		reportRequests(results),
		reportProcesses(results),
		reportMemory(results),
	];
	return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function heading({ startedAt, commit, lab, cases, loadBefore }: CreateResults): string {
	const rounds = cases.flatMap((each) => each.rounds);
	const voided = rounds.filter(({ voidBecause }) => voidBecause).length;
	return [
		`${startedAt.slice(0, 16).replace("T", " ")} UTC, commit ${commit}; Debian ${lab.release}, Xen ${lab.xen}, Linux ${lab.kernel},`,
		`emulated by QEMU without KVM. Load of the machine before: ${loadBefore.machine.toFixed(2)}.`,
		`Rounds: ${countedRounds(rounds).length} counted, ${voided} void.`,
	].join("\n");
}

function reportCase(rounds: readonly Round[]): string {
	const rows = (Object.keys(TIMES) as TimeName[]).map((time) => [
		TIMES[time],
		...(["xl", "bulkhead", "bulkhead-api"] as const).map((surface) => seconds(summarizeTime(rounds, surface, time))),
		pairedRatio(rounds, "bulkhead", time).toFixed(2),
		pairedRatio(rounds, "bulkhead-api", time).toFixed(2),
	]);
	const head = ["seconds: median (min–max)", "xl", "bulkhead", "by request", "÷ xl", "by request ÷ xl"];
	const steps = summarizeSteps(rounds).map(({ title, startedMs, ms }) => [
		title,
		String(Math.round(startedMs)),
		String(Math.round(ms)),
	]);
	return `${formatTable(head, rows)}\n\n${formatTable(["bulkheadd's steps, by request", "began, ms", "took, ms"], steps)}`;
}

function reportStarts({ starts }: CreateResults): string {
	if (!starts) return "";
	const rows = Object.entries(starts).map(([command, summary]) => [command, seconds(summary)]);
	return `### Start of a command alone\n\n${formatTable(["command", "seconds: median (min–max)"], rows)}`;
}

function reportRequests({ requests }: CreateResults): string {
	if (!requests) return "";
	const { xl, bulkhead } = requests;
	const row = (title: string, count: (counts: RequestCounts) => number): string[][] =>
		(["create", "destroy"] as const).map((phase) => {
			const [peer, own] = [count(xl[phase]), count(bulkhead[phase])];
			return [`${phase}: ${title}`, String(peer), String(own), peer === 0 ? "–" : (own / peer).toFixed(2)];
		});
	const rows = [
		...row("the toolstack and its programs", ({ toolstack }) => toolstack),
		...row("… connections made", ({ connections }) => connections),
		...row("guest and stub domain", ({ domains }) => domains),
		...row("dom0's kernel and xenconsoled", ({ host }) => host),
	];
	return `### xenstore requests\n\n${formatTable(["requests", "xl", "bulkhead", "÷ xl"], rows)}`;
}

function reportProcesses({ processes }: CreateResults): string {
	if (!processes) return "";
	const { xl, bulkhead } = processes;
	const rows = (["create", "destroy"] as const).flatMap((phase) => [
		[`${phase}: processes forked`, String(xl[phase].forks), String(bulkhead[phase].forks)],
		[`${phase}: threads made`, String(xl[phase].threads), String(bulkhead[phase].threads)],
		[`${phase}: programs executed`, programs(xl[phase].programs), programs(bulkhead[phase].programs)],
	]);
	return `### Processes\n\nThe command itself is among the programs.\n\n${formatTable(["", "xl", "bulkhead"], rows)}`;
}

function programs(paths: readonly string[]): string {
	const counts = new Map<string, number>();
	for (const path of paths) {
		const name = path.slice(path.lastIndexOf("/") + 1);
		counts.set(name, (counts.get(name) ?? 0) + 1);
	}
	const list = [...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => (count > 1 ? `${name} ×${count}` : name));
	return `${paths.length}: ${list.join(", ")}`;
}

function reportMemory({ memory }: CreateResults): string {
	if (!memory) return "";
	const rows = memory.xl.map((peer, at) => {
		const own = memory.bulkhead[at];
		return [
			String(peer.guests),
			...describeMemory(peer, memory.xl),
			...(own ? describeMemory(own, memory.bulkhead) : []),
		];
	});
	const head = ["guests", "xl: processes", "PSS, MiB", "per guest", "bulkhead: processes", "PSS, MiB", "per guest"];
	return `### Memory of dom0's processes\n\n${formatTable(head, rows)}`;
}

function describeMemory(point: MemoryPoint, all: readonly MemoryPoint[]): string[] {
	const none = all[0]?.pssKiB ?? 0;
	const perGuest = point.guests === 0 ? "" : mebibytes((point.pssKiB - none) / point.guests);
	return [String(point.processes.length), mebibytes(point.pssKiB), perGuest];
}

const mebibytes = (kiB: number): string => (kiB / 1024).toFixed(1);

function seconds({ median, min, max }: Summary): string {
	const text = (ms: number): string => (ms / 1000).toFixed(2);
	return `${text(median)} (${text(min)}–${text(max)})`;
}
