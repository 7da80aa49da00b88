import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Lab } from "@bulkhead/lab";
import { Command, InvalidArgumentError } from "commander";
import type { BenchPlace } from "./xenstore/bench-place.ts";

const RESULTS = join(import.meta.dirname, "../results");
const USAGE_ERROR = 2;

const say = (line: string): void => {
	process.stderr.write(`${line}\n`);
};

const program = new Command("npm run bench --")
	.description("Measures Bulkhead beside its peers. The report is Markdown on standard output.")
	.exitOverride();

program
	.command("create")
	.description("the same guest with xl and with bulkhead in one lab: times, xenstore requests, processes, memory")
	.option("--pairs <n>", "rounds that count, for each case", wholeNumber, 5)
	.option("--only <parts>", "of a,b,starts,requests,processes,memory", splitNames)
	.option("--guests <counts>", "numbers of guests at which memory is looked at", wholeNumbers, [1, 4, 8])
	.option("--shared", "go on although other domains run: for trying this program, not for figures", false)
	.action(async ({ pairs, only, guests, shared }) => {
		const { PARTS, runCreateBench } = await import("./create/create-bench.ts");
		const { reportCreate } = await import("./create/report.ts");
		const parts = new Set(known("part", only, PARTS));
		await inLab((lab) =>
			publish(
				"create",
				runCreateBench(lab, { pairs, parts, guestCounts: guests, isShared: shared, say }),
				reportCreate,
			),
		);
	});

program
	.command("console")
	.description("consoles of the relay, of xenconsoled and of xl's QEMU in one lab: bytes a second, latency, memory")
	.option("--rounds <n>", "rounds that count, for each server", wholeNumber, 5)
	.option("--kib <n>", "of output in each round", wholeNumber, 512)
	.option("--guests <counts>", "numbers of guests at which memory is looked at", wholeNumbers, [1, 4, 8])
	.option("--only <parts>", "of transfer,memory", splitNames)
	.action(async ({ rounds, kib, guests, only }) => {
		const { PARTS, runConsoleBench } = await import("./console/console-bench.ts");
		const { reportConsole } = await import("./console/report.ts");
		const parts = new Set(known("part", only, PARTS));
		await inLab((lab) =>
			publish(
				"console",
				runConsoleBench(lab, { rounds, bytes: kib * 1024, guestCounts: guests, parts, say }),
				reportConsole,
			),
		);
	});

program
	.command("xenstore")
	.description("our xenstore client, libxenstore's and pyxs on the same xenstored and oxenstored in one lab")
	.option("--rounds <n>", "rounds that count, for each case and server", wholeNumber, 15)
	.option("--servers <names>", "of xenstored,oxenstored", splitNames)
	.option("--here", "on this machine's own processor instead, by xenstoreds without Xen", false)
	.action(async ({ rounds, servers, here }) => {
		const { runXenstoreBench } = await import("./xenstore/xenstore-bench.ts");
		const { SERVERS } = await import("./xenstore/bench-place.ts");
		const { openThisMachine } = await import("./xenstore/on-this-machine.ts");
		const { openDom0 } = await import("./xenstore/in-dom0.ts");
		const { reportXenstore } = await import("./xenstore/report.ts");
		const chosen = known("server", servers, SERVERS);
		const measureAt = async (place: BenchPlace): Promise<void> => {
			try {
				await publish("xenstore", runXenstoreBench(place, { rounds, servers: chosen, say }), reportXenstore);
			} finally {
				await place.close();
			}
		};
		if (here) await measureAt(await openThisMachine(say));
		else await inLab(async (lab) => measureAt(await openDom0(lab, say)));
	});

program
	.command("vchan")
	.description("our ends of a vchan and libxenvchan's, each with each, in one lab: bytes a second, round trips")
	.option("--rounds <n>", "rounds that count, for each pair and ring size", wholeNumber, 7)
	.option("--trips <n>", "round trips in each round", wholeNumber, 300)
	.option("--rings <sizes>", "of default,64k,256k", splitNames)
	.option("--servers <places>", "of dom0,guest", splitNames)
	.action(async ({ rounds, trips, rings, servers }) => {
		const { runVchanBench } = await import("./vchan/vchan-bench.ts");
		const { PLACES } = await import("./vchan/pairs.ts");
		const { RING_SIZE_NAMES } = await import("./vchan/ring-sizes.ts");
		const { reportVchan } = await import("./vchan/report.ts");
		const sizes = known("ring size", rings, RING_SIZE_NAMES);
		const places = known("place", servers, PLACES);
		await inLab((lab) => publish("vchan", runVchanBench(lab, { rounds, trips, places, sizes, say }), reportVchan));
	});

program
	.command("qmp")
	.description("QMP of stub domains by Xen's vchan-socket-proxy and by the relay in one lab: round trips, p50, p99")
	.option("--rounds <n>", "rounds that count", wholeNumber, 7)
	.option("--trips <n>", "round trips in each round; the relay lets a client have 200 in a burst", wholeNumber, 200)
	.option("--crowd-trips <n>", "of each of 16 clients at once", wholeNumber, 50)
	.action(async ({ rounds, trips, crowdTrips }) => {
		const { runQmpBench } = await import("./qmp/qmp-bench.ts");
		const { reportQmp } = await import("./qmp/report.ts");
		await inLab((lab) => publish("qmp", runQmpBench(lab, { rounds, trips, crowdTrips, say }), reportQmp));
	});

program
	.command("xenstore-server")
	.description("the in-memory xenstored on this machine, without a lab")
	.option("--pairs <n>", "rounds that count", wholeNumber, 5)
	.action(async ({ pairs }) => {
		const { reportXenstoreServer, runXenstoreServerBench } = await import("./xenstore-server/xenstore-server-bench.ts");
		await publish("xenstore-server", runXenstoreServerBench(pairs, say), reportXenstoreServer);
	});

program
	.command("sim")
	.description("many guests through the whole daemon on a simulated host in this process: the last beside the first")
	.option("--guests <n>", "of each kind, one after the other", wholeNumber, 1000)
	.option("--crowd <n>", "of each kind, side by side", wholeNumber, 200)
	.action(async ({ guests, crowd }) => {
		const { runSimBench } = await import("./sim/sim-bench.ts");
		const { reportSim } = await import("./sim/report.ts");
		await publish("sim", runSimBench({ guests, crowd }, say), reportSim);
	});

/** The lab that is up, or one for this bench alone. */
async function inLab(measure: (lab: Lab) => Promise<void>): Promise<void> {
	const wasUp = (await Lab.findRunning()) !== undefined;
	const lab = await Lab.up({ onProgress: say });
	try {
		await measure(lab);
	} finally {
		if (wasUp) lab.close();
		else await lab.down();
	}
}

/** Keeps what a bench finds, and prints its report. */
async function publish<T extends { startedAt: string }>(
	bench: string,
	measured: Promise<T>,
	report: (results: T) => string,
): Promise<void> {
	const results = await measured;
	await keep(bench, results);
	process.stdout.write(report(results));
}

/** Every single value, for whoever wants to count otherwise. */
async function keep(bench: string, results: { startedAt: string }): Promise<void> {
	const file = join(RESULTS, `${bench}-${results.startedAt.replaceAll(":", "").slice(0, 17)}.json`);
	await mkdir(RESULTS, { recursive: true });
	await writeFile(file, `${JSON.stringify(results, undefined, "\t")}\n`);
	say(`Written: ${file}`);
}

function wholeNumber(text: string): number {
	const value = Number(text);
	if (Number.isInteger(value) && value > 0) return value;
	throw new InvalidArgumentError("Give a whole number above 0.");
}

function wholeNumbers(text: string): number[] {
	return text.split(",").map(wholeNumber);
}

function splitNames(text: string): string[] {
	return text.split(",");
}

/** All of them when none is given. */
function known<T extends string>(what: string, given: readonly string[] | undefined, all: readonly T[]): readonly T[] {
	const unknown = (given ?? []).filter((name) => !all.some((one) => one === name));
	if (unknown.length > 0) program.error(`there is no ${what} ${unknown.join(", ")}: known are ${all.join(", ")}`);
	return given === undefined ? all : all.filter((one) => given.includes(one));
}

await program.parseAsync().catch((error: { message: string; remedy?: string; exitCode?: number }) => {
	process.exitCode = error.exitCode === undefined ? 1 : error.exitCode && USAGE_ERROR;
	if (error.exitCode !== undefined) return;
	process.stderr.write(`npm run bench: ${error.message}\n${error.remedy ? `  remedy: ${error.remedy}\n` : ""}`);
});
