import { inspect, parseArgs } from "node:util";
import { fuzz } from "../packages/xenstore/test/fuzz/fuzz-server.ts";

const USAGE = `Usage: npm run fuzz -- [options]

Throws random, mutated, oversized, halved and flooding messages at the xenstore codec and the in-memory xenstored, and
checks every answer, other clients, and what is left behind. Ends with the first thing that is wrong.

  --cases N   messages (default 1000000)
  --seed S    the same seed makes the same messages (default: from the clock)
  -h, --help  this text
`;
/** Of what the process holds at its height. Bytes. */
const MOST_MEMORY = 1024 ** 3;

async function main(args: string[]): Promise<number> {
	const { values } = parseArgs({
		args,
		options: {
			cases: { type: "string", default: "1000000" },
			seed: { type: "string", default: `${Date.now() % 0xffff_ffff}` },
			help: { type: "boolean", short: "h", default: false },
		},
	});
	if (values.help) {
		process.stdout.write(USAGE);
		return 0;
	}
	const [cases, seed] = [wholeNumber("--cases", values.cases), wholeNumber("--seed", values.seed)];
	process.stdout.write(`${cases} cases, seed ${seed}\n`);
	let told = performance.now();
	const report = await fuzz({
		cases,
		seed,
		onProgress: (done) => {
			if (performance.now() - told < 5000) return;
			told = performance.now();
			process.stderr.write(`${done} of ${cases}\n`);
		},
	});
	const { seconds, peakRssBytes, slowestWitnessMs, connections } = report;
	const memory = `${Math.round(peakRssBytes / 1024 / 1024)} MiB`;
	process.stdout.write(
		`${report.cases} cases in ${seconds.toFixed(1)} s on ${connections} connections; ` +
			`peak RSS ${memory}; slowest answer to the client that behaves ${slowestWitnessMs.toFixed(1)} ms\n`,
	);
	if (peakRssBytes <= MOST_MEMORY) return 0;
	process.stderr.write(`That is more memory than ${MOST_MEMORY / 1024 / 1024} MiB\n`);
	return 1;
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
