import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InvalidInputError } from "@bulkhead/base";
import { Lab } from "@bulkhead/lab";
import { PARTS, type Part, runCreateBench } from "./create/create-bench.ts";
import { reportCreate } from "./create/report.ts";
import { reportXenstore } from "./xenstore/report.ts";
import { runXenstoreBench, SERVERS, type Server } from "./xenstore/xenstore-bench.ts";
import { reportXenstoreServer, runXenstoreServerBench } from "./xenstore-server/xenstore-server-bench.ts";

const USAGE = `Usage: npm run bench -- create|xenstore|xenstore-server [options]

create: the same guest with xl and with bulkhead in one lab: times, xenstore requests, processes and memory.
xenstore: our client, libxenstore's and pyxs on the same xenstored and oxenstored: times of requests.
The lab is booted, and shut down afterwards, unless it is up. Nobody else may use it meanwhile.
xenstore-server measures the in-memory xenstored on this machine, without a lab.

Options of create:
  --pairs N        rounds that count, for each case (default 5)
  --only PARTS     of ${PARTS.join(",")}
  --guests COUNTS  numbers of guests at which memory is looked at (default 1,4,8)
  --shared         go on although other domains run: for trying this program, not for figures
Options of xenstore:
  --rounds N       rounds that count, for each case and server (default 15)
  --servers NAMES  of ${SERVERS.join(",")} (default both)

  -h, --help       this text
`;
const RESULTS = join(import.meta.dirname, "../results");

const say = (line: string): void => {
	process.stderr.write(`${line}\n`);
};

const BENCHES = ["create", "xenstore", "xenstore-server"] as const;
type Bench = (typeof BENCHES)[number];

type Options =
	| { bench: "create"; pairs: number; parts: Set<Part>; guestCounts: number[]; isShared: boolean }
	| { bench: "xenstore"; rounds: number; servers: Server[] }
	| { bench: "xenstore-server"; pairs: number };

async function main(args: string[]): Promise<number> {
	const options = readOptions(args);
	if (!options) {
		process.stdout.write(USAGE);
		return 0;
	}
	if (options.bench === "xenstore-server") {
		const results = await runXenstoreServerBench(options.pairs, say);
		await keep("xenstore-server", results);
		process.stdout.write(reportXenstoreServer(results));
		return 0;
	}
	const wasUp = (await Lab.findRunning()) !== undefined;
	const lab = await Lab.up({ onProgress: say });
	try {
		if (options.bench === "create") {
			const results = await runCreateBench(lab, { ...options, say });
			await keep("create", results);
			process.stdout.write(reportCreate(results));
		} else {
			const results = await runXenstoreBench(lab, { ...options, say });
			await keep("xenstore", results);
			process.stdout.write(reportXenstore(results));
		}
		return 0;
	} finally {
		if (wasUp) lab.close();
		else await lab.down();
	}
}

/** Every single value, for whoever wants to count otherwise. */
async function keep(bench: Bench, results: { startedAt: string }): Promise<void> {
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
			remedy: `Those that there are: ${BENCHES.join(", ")}`,
		});
	if (bench === "xenstore") {
		const servers = names("server", values.servers, SERVERS);
		return { bench, rounds: wholeNumber("--rounds", values.rounds), servers };
	}
	const pairs = wholeNumber("--pairs", values.pairs);
	if (bench === "xenstore-server") return { bench, pairs };
	const guestCounts = values.guests.split(",").map((count) => wholeNumber("--guests", count));
	const parts = new Set(names("part", values.only, PARTS));
	return { bench, pairs, parts, guestCounts, isShared: values.shared };
}

function isBench(text: string | undefined): text is Bench {
	return BENCHES.some((bench) => bench === text);
}

function names<T extends string>(what: string, text: string, known: readonly T[]): T[] {
	const given = text.split(",");
	const unknown = given.filter((name) => !known.some((one) => one === name));
	if (unknown.length > 0)
		throw new InvalidInputError(`There is no ${what} ${unknown.join(", ")}`, { remedy: `Known: ${known.join(", ")}` });
	return given as T[];
}

function parse(args: string[]): {
	values: {
		pairs: string;
		only: string;
		guests: string;
		shared: boolean;
		rounds: string;
		servers: string;
		help: boolean;
	};
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
				rounds: { type: "string", default: "15" },
				servers: { type: "string", default: SERVERS.join(",") },
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
