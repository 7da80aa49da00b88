import { parseArgs } from "node:util";
import { InvalidInputError } from "@bulkhead/base";
import { median } from "../statistics.ts";
import { type BenchHost, openBenchHost } from "./bench-host.ts";
import { reportSim, type SimCase, type SimResults } from "./report.ts";

export const SIM_USAGE = `Usage: npm run bench -- sim [options]

Creates and destroys many guests through the whole daemon on a simulated host in this process, and tells what the last
cost beside the first. Needs neither Xen nor the lab.

  --guests N       of each kind (default 1000)
  -h, --help       this text
`;

const DEFAULT_GUESTS = 1000;
/** Before anything counts: the engine compiles what is used much. */
const WARM_UP = 100;
/** At the beginning and at the end, whose medians are compared. */
const WINDOWS = 10;

const KINDS = ["hvm", "pv"] as const;
export type SimKind = (typeof KINDS)[number];

/** @throws InvalidInputError; Error when something of the guests was left */
export async function runSimBench(args: string[], say: (line: string) => void): Promise<number> {
	const guests = readGuests(args);
	if (guests === undefined) {
		process.stdout.write(SIM_USAGE);
		return 0;
	}
	const startedAt = new Date().toISOString();
	const cases: SimCase[] = [];
	for (const kind of KINDS) {
		say(`${guests} ${kind} guests, one after the other`);
		cases.push(await onFreshHost((host) => churn(host, kind, guests)));
		say(`${guests} ${kind} guests side by side`);
		cases.push(await onFreshHost((host) => crowd(host, kind, guests)));
	}
	const results: SimResults = { startedAt, guests, cases };
	process.stdout.write(reportSim(results));
	return 0;
}

async function onFreshHost(measure: (host: BenchHost) => Promise<SimCase>): Promise<SimCase> {
	await using host = await openBenchHost();
	for (let index = 0; index < WARM_UP; index++) {
		await create(host, "hvm", "warm-up");
		await host.client.destroy("warm-up");
	}
	const before = JSON.stringify(host.simulated.counts);
	const tree = JSON.stringify(host.simulated.xenstored.host.toJSON());
	const result = await measure(host);
	host.simulated.assertIdle();
	const after = JSON.stringify(host.simulated.counts);
	if (after !== before) throw new Error(`Something was left: ${before} before, ${after} after`);
	if (JSON.stringify(host.simulated.xenstored.host.toJSON()) !== tree) throw new Error("Nodes were left in xenstore");
	return result;
}

/** Each guest is destroyed before the next is created. */
async function churn(host: BenchHost, kind: SimKind, guests: number): Promise<SimCase> {
	const ms: number[] = [];
	for (let index = 0; index < guests; index++) {
		const start = performance.now();
		await create(host, kind, `guest-${index}`);
		await host.client.destroy(`guest-${index}`);
		ms.push(performance.now() - start);
	}
	return caseOf(kind, "one after the other", ms);
}

/** All are there at once; only creating counts. */
async function crowd(host: BenchHost, kind: SimKind, guests: number): Promise<SimCase> {
	const ms: number[] = [];
	for (let index = 0; index < guests; index++) {
		const start = performance.now();
		await create(host, kind, `guest-${index}`);
		ms.push(performance.now() - start);
	}
	for (let index = 0; index < guests; index++) await host.client.destroy(`guest-${index}`);
	return caseOf(kind, "side by side", ms);
}

function caseOf(kind: SimKind, way: SimCase["way"], ms: readonly number[]): SimCase {
	const window = Math.max(1, Math.floor(ms.length / WINDOWS));
	return {
		kind,
		way,
		firstMs: median(ms.slice(0, window)),
		lastMs: median(ms.slice(-window)),
		medianMs: median(ms),
		residentMiB: process.memoryUsage().rss / (1 << 20),
	};
}

async function create({ client, images, directory }: BenchHost, kind: SimKind, name: string): Promise<void> {
	const lines =
		kind === "pv"
			? ['type="pv"', "memory=32", `kernel="${images.guestKernel}"`]
			: ['type="hvm"', "memory=64", "videoram=8", 'serial="pty"', `disk=["${images.disk},raw,hda,w"]`];
	const configText = [`name="${name}"`, ...lines].join("\n");
	await client.create({ configText, file: "bench", baseDir: directory, overrides: [], paused: false, dryRun: false });
}

/** Undefined: help is wanted. @throws InvalidInputError */
function readGuests(args: string[]): number | undefined {
	const options = {
		guests: { type: "string", default: `${DEFAULT_GUESTS}` },
		help: { type: "boolean", short: "h" },
	} as const;
	let values: { guests: string; help?: boolean };
	try {
		values = parseArgs({ args, options }).values;
	} catch (cause) {
		throw new InvalidInputError((cause as Error).message, { cause, remedy: "See npm run bench -- sim --help" });
	}
	if (values.help) return undefined;
	const guests = Number(values.guests);
	if (Number.isInteger(guests) && guests > 0) return guests;
	throw new InvalidInputError(`Option --guests takes whole numbers above 0 and not “${values.guests}”`);
}
