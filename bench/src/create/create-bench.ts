import { loadavg } from "node:os";
import type { Lab } from "@bulkhead/lab";
import { describeCommit } from "../describe-commit.ts";
import { Observer } from "../observer.ts";
import { type Summary, summarize } from "../statistics.ts";
import { BENCH_DIRECTORY, configText, FASTEST_FILES, TINY_IMAGE } from "./bench-guest.ts";
import { countProcesses } from "./count-processes.ts";
import { countRequests } from "./count-requests.ts";
import type { ByProgram, CreateResults } from "./create-results.ts";
import { measureMemory } from "./measure-memory.ts";
import { awaitEmptyHost, prepareDom0, writeDom0File } from "./prepare-dom0.ts";
import { measurePairs, PAIR_CASES } from "./timed-pairs.ts";

export const PARTS = ["a", "b", "starts", "requests", "processes", "memory"] as const;
export type Part = (typeof PARTS)[number];

export interface CreateBenchOptions {
	pairs: number;
	parts: ReadonlySet<Part>;
	/** Numbers of guests for the memory of dom0. */
	guestCounts: readonly number[];
	/** Other domains may run: for trying the bench, not for figures. */
	isShared: boolean;
	say: (line: string) => void;
}

/** `xl info` reads Xen and nothing else; `bulkhead help` starts Node and asks nobody. */
const START_COMMANDS = [
	["xl", "info"],
	["xl", "list"],
	["bulkhead", "help"],
	["bulkhead", "list"],
	["node", "-e", "0"],
] as const;

/** Creates the same guest with xl and with bulkhead in one lab, from every side that the report tells of. */
export async function runCreateBench(lab: Lab, options: CreateBenchOptions): Promise<CreateResults> {
	const { parts, say, guestCounts, isShared } = options;
	const alone = async (): Promise<void> => {
		if (!isShared) await awaitEmptyHost(lab, say);
	};
	const startedAt = new Date().toISOString();
	await alone();
	await prepareDom0(lab, say);
	const loadBefore = { dom0: (await lab.run(["cat", "/proc/loadavg"])).trim(), machine: loadavg()[0] ?? Number.NaN };
	const timed = await measureTimes(lab, options);
	// From here on without the observer: a third Node in dom0 would take its part of shared pages.
	const config = await placePlainConfig(lab);
	const both = async <T>(what: string, measure: (program: "xl" | "bulkhead") => Promise<T>): Promise<ByProgram<T>> => {
		const run = async (program: "xl" | "bulkhead"): Promise<T> => {
			await alone();
			say(`${what}: ${program}`);
			return measure(program);
		};
		return { xl: await run("xl"), bulkhead: await run("bulkhead") };
	};
	const requests = parts.has("requests")
		? await both("xenstore requests", (program) => countRequests(lab, program, config))
		: undefined;
	const processes = parts.has("processes")
		? await both("processes", (program) => countProcesses(lab, program, config))
		: undefined;
	const memory = parts.has("memory")
		? await both("memory", (program) => measureMemory({ lab, program, counts: guestCounts, say }))
		: undefined;
	return {
		startedAt,
		endedAt: new Date().toISOString(),
		commit: await describeCommit(),
		lab: lab.describe(),
		isShared,
		loadBefore,
		...timed,
		requests,
		processes,
		memory,
	};
}

async function measureTimes(
	lab: Lab,
	{ parts, pairs, say, isShared }: CreateBenchOptions,
): Promise<Pick<CreateResults, "cases" | "starts">> {
	const cases: CreateResults["cases"] = [];
	if (!parts.has("a") && !parts.has("b") && !parts.has("starts")) return { cases };
	await using observer = await Observer.start(lab);
	for (const pairCase of PAIR_CASES)
		if (parts.has(pairCase.name))
			cases.push({ pairCase, rounds: await measurePairs(pairCase, { lab, observer, pairs, say, isShared }) });
	return { cases, starts: parts.has("starts") ? await measureStarts(observer, pairs, say) : undefined };
}

async function measureStarts(
	observer: Observer,
	times: number,
	say: (line: string) => void,
): Promise<Record<string, Summary>> {
	say("start of commands alone");
	const measured = START_COMMANDS.map((argv) => ({ argv, values: [] as number[] }));
	for (let round = 0; round < times; round++)
		for (const { argv, values } of measured) values.push((await observer.run([...argv])).returnedMs);
	return Object.fromEntries(measured.map(({ argv, values }) => [argv.join(" "), summarize(values)]));
}

async function placePlainConfig(lab: Lab): Promise<{ name: string; file: string }> {
	const name = "bench-plain";
	const file = `${BENCH_DIRECTORY}/${name}.cfg`;
	await writeDom0File(lab, file, configText({ name, diskPath: TINY_IMAGE, stub: FASTEST_FILES }));
	return { name, file };
}
