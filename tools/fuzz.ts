import { inspect, parseArgs } from "node:util";
import { fuzzQmp } from "../packages/relay/test/fuzz/fuzz-qmp.ts";
import { fuzz } from "../packages/xenstore/test/fuzz/fuzz-server.ts";

const USAGE = `Usage: npm run fuzz -- [options]

Throws random, mutated, oversized, halved and flooding messages at the xenstore codec and the in-memory xenstored, and
checks every answer, other clients, and what is left behind; then at QMP's framing, parsers and policy, and random
counters at the rings of vchans. Ends with the first thing that is wrong.

  --only X    xenstore or qmp
  --cases N   messages, for each (default 1000000)
  --seed S    the same seed makes the same messages (default: from the clock)
  -h, --help  this text
`;
/** Of what the process holds at its height. Bytes. */
const MOST_MEMORY = 1024 ** 3;

async function main(args: string[]): Promise<number> {
	const { values } = parseArgs({
		args,
		options: {
			only: { type: "string" },
			cases: { type: "string", default: "1000000" },
			seed: { type: "string", default: `${Date.now() % 0xffff_ffff}` },
			help: { type: "boolean", short: "h", default: false },
		},
	});
	if (values.help) {
		process.stdout.write(USAGE);
		return 0;
	}
	if (values.only !== undefined && values.only !== "xenstore" && values.only !== "qmp")
		throw new Error(`--only takes xenstore or qmp, not ${inspect(values.only)}`);
	const [cases, seed] = [wholeNumber("--cases", values.cases), wholeNumber("--seed", values.seed)];
	process.stdout.write(`${cases} cases, seed ${seed}\n`);
	const peaks: number[] = [];
	if (values.only !== "qmp") peaks.push(await runXenstore(cases, seed));
	if (values.only !== "xenstore") peaks.push(runQmp(cases, seed));
	if (Math.max(...peaks) <= MOST_MEMORY) return 0;
	process.stderr.write(`That is more memory than ${MOST_MEMORY / 1024 / 1024} MiB\n`);
	return 1;
}

async function runXenstore(cases: number, seed: number): Promise<number> {
	const report = await fuzz({ cases, seed, onProgress: progressOf("xenstore", cases) });
	const { seconds, peakRssBytes, slowestWitnessMs, connections } = report;
	process.stdout.write(
		`xenstore: ${report.cases} cases in ${seconds.toFixed(1)} s on ${connections} connections; ` +
			`peak RSS ${mebibytes(peakRssBytes)}; slowest answer to the client that behaves ${slowestWitnessMs.toFixed(1)} ms\n`,
	);
	return peakRssBytes;
}

function runQmp(cases: number, seed: number): number {
	const { seconds, peakRssBytes, refused } = fuzzQmp({ cases, seed, onProgress: progressOf("qmp", cases) });
	const counts = Object.entries(refused).map(([what, count]) => `${what} ${count}`);
	process.stdout.write(
		`qmp: ${cases} cases in ${seconds.toFixed(1)} s; peak RSS ${mebibytes(peakRssBytes)}; refused: ${counts.join(", ")}\n`,
	);
	return peakRssBytes;
}

function progressOf(what: string, cases: number): (done: number) => void {
	let told = performance.now();
	return (done) => {
		if (performance.now() - told < 5000) return;
		told = performance.now();
		process.stderr.write(`${what}: ${done} of ${cases}\n`);
	};
}

function mebibytes(bytes: number): string {
	return `${Math.round(bytes / 1024 / 1024)} MiB`;
}

function wholeNumber(option: string, text: string): number {
	const value = Number(text);
	if (Number.isSafeInteger(value) && value >= 0) return value;
	throw new TypeError(`Option ${option} takes a whole number and not “${text}”`);
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
	process.stderr.write(`npm run fuzz: ${inspect(error)}\n`);
	return 1;
});
