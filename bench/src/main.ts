import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InvalidInputError } from "@bulkhead/base";
import { Lab } from "@bulkhead/lab";
import { PARTS, type Part, runCreateBench } from "./create/create-bench.ts";
import { reportCreate } from "./create/report.ts";
import { runSimBench, SIM_USAGE } from "./sim/sim-bench.ts";

const USAGE = `Usage: npm run bench -- create [options]

Creates the same guest with xl and with bulkhead in one lab, and tells times, xenstore requests, processes and memory.
The lab is booted, and shut down afterwards, unless it is up. Nobody else may use it meanwhile.

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

interface Options {
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
	const wasUp = (await Lab.findRunning()) !== undefined;
	const lab = await Lab.up({ onProgress: say });
	try {
		const results = await runCreateBench(lab, { ...options, say });
		const file = join(RESULTS, `create-${results.startedAt.replaceAll(":", "").slice(0, 17)}.json`);
		await mkdir(RESULTS, { recursive: true });
		await writeFile(file, `${JSON.stringify(results, undefined, "\t")}\n`);
		process.stdout.write(reportCreate(results));
		say(`Written: ${file}`);
		return 0;
	} finally {
		if (wasUp) lab.close();
		else await lab.down();
	}
}

/** Undefined: help is wanted. @throws InvalidInputError */
function readOptions(args: string[]): Options | undefined {
	const { values, positionals } = parse(args);
	if (values.help) return undefined;
	const [bench, ...more] = positionals;
	if (bench !== "create" || more.length > 0)
		throw new InvalidInputError(`There is no bench “${positionals.join(" ")}”`, { remedy: "There are: create, sim" });
	const parts = values.only.split(",") as Part[];
	const unknown = parts.filter((part) => !PARTS.includes(part));
	if (unknown.length > 0)
		throw new InvalidInputError(`There is no part ${unknown.join(", ")}`, { remedy: `Parts: ${PARTS.join(", ")}` });
	const guestCounts = values.guests.split(",").map((count) => wholeNumber("--guests", count));
	const pairs = wholeNumber("--pairs", values.pairs);
	return { pairs, parts: new Set(parts), guestCounts, isShared: values.shared };
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
