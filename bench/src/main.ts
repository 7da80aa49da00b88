import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InvalidInputError } from "@bulkhead/base";
import { Lab } from "@bulkhead/lab";
import { PARTS, type Part, runCreateBench } from "./create/create-bench.ts";
import { reportCreate } from "./create/report.ts";
import { runSimBench, SIM_USAGE } from "./sim/sim-bench.ts";
import { reportXenstoreServer, runXenstoreServerBench } from "./xenstore-server/xenstore-server-bench.ts";

const USAGE = `Usage: npm run bench -- create [options]
       npm run bench -- xenstore-server [--pairs N]

Creates the same guest with xl and with bulkhead in one lab, and tells times, xenstore requests, processes and memory.
The lab is booted, and shut down afterwards, unless it is up. Nobody else may use it meanwhile.
xenstore-server measures the in-memory xenstored on this machine, without a lab.

  --pairs N        rounds that count, for each case (default 5)
  --only PARTS     of ${PARTS.join(",")}
  --guests COUNTS  numbers of guests at which memory is looked at (default 1,4,8)
  --shared         go on although other domains run: for trying this program, not for figures
  -h, --help       this text
`;
const RESULTS = join(import.meta.dirname, "../results");

const say = (line: string): void => {
	process.stderr.write(`${line}\n`);
};

const BENCHES = ["create", "xenstore-server"] as const;
type Bench = (typeof BENCHES)[number];

function isBench(text: string | undefined): text is Bench {
	return BENCHES.some((bench) => bench === text);
}

interface Options {
	bench: Bench;
	pairs: number;
	parts: Set<Part>;
	guestCounts: number[];
	isShared: boolean;
}

async function main(args: string[]): Promise<number> {
	if (args[0] === "sim") return runSimBench(args.slice(1), say);
	const options = readOptions(args);
	if (!options) {
		process.stdout.write(`${USAGE}\n${SIM_USAGE}`);
		return 0;
	}
	if (options.bench === "xenstore-server") {
		const results = await runXenstoreServerBench(options.pairs, say);
		await writeResults("xenstore-server", results);
		process.stdout.write(reportXenstoreServer(results));
		return 0;
	}
	const wasUp = (await Lab.findRunning()) !== undefined;
	const lab = await Lab.up({ onProgress: say });
	try {
		const results = await runCreateBench(lab, { ...options, say });
		await writeResults("create", results);
		process.stdout.write(reportCreate(results));
		return 0;
	} finally {
		if (wasUp) lab.close();
		else await lab.down();
	}
}

async function writeResults(bench: Bench, results: { startedAt: string }): Promise<void> {
	const file = join(RESULTS, `${bench}-${results.startedAt.replaceAll(":", "").slice(0, 17)}.json`);
	await mkdir(RESULTS, { recursive: true });
	await writeFile(file, `${JSON.stringify(results, undefined, "\t")}\n`);
	say(`Written: ${file}`);
}

/** Undefined: help is wanted. @throws InvalidInputError */
function readOptions(args: string[]): Options | undefined {
	const { values, positionals } = parse(args);
	if (values.help) return undefined;
	const [bench, ...more] = positionals;
	if (!isBench(bench) || more.length > 0)
		throw new InvalidInputError(`There is no bench “${positionals.join(" ")}”`, {
			remedy: `Those that there are: ${BENCHES.join(", ")}, sim`,
		});
	const parts = values.only.split(",") as Part[];
	const unknown = parts.filter((part) => !PARTS.includes(part));
	if (unknown.length > 0)
		throw new InvalidInputError(`There is no part ${unknown.join(", ")}`, { remedy: `Parts: ${PARTS.join(", ")}` });
	const guestCounts = values.guests.split(",").map((count) => wholeNumber("--guests", count));
	const pairs = wholeNumber("--pairs", values.pairs);
	return { bench, pairs, parts: new Set(parts), guestCounts, isShared: values.shared };
}

function parse(args: string[]): {
	values: { pairs: string; only: string; guests: string; shared: boolean; help: boolean };
	positionals: string[];
} {
	try {
		return parseArgs({
			args,
			allowPositionals: true,
			options: {
				pairs: { type: "string", default: "5" },
				only: { type: "string", default: PARTS.join(",") },
				guests: { type: "string", default: "1,4,8" },
				shared: { type: "boolean", default: false },
				help: { type: "boolean", short: "h", default: false },
			},
		});
	} catch (cause) {
		throw new InvalidInputError((cause as Error).message, { cause, remedy: "See npm run bench -- --help" });
	}
}

function wholeNumber(option: string, text: string): number {
	const value = Number(text);
	if (Number.isInteger(value) && value > 0) return value;
	throw new InvalidInputError(`Option ${option} takes whole numbers above 0 and not “${text}”`);
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
	const { message, remedy } = error as { message: string; remedy?: string };
	process.stderr.write(`npm run bench: ${message}\n${remedy ? `  remedy: ${remedy}\n` : ""}`);
	return error instanceof InvalidInputError ? 2 : 1;
});
