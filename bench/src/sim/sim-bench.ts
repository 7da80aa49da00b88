import { median } from "../statistics.ts";
import { type BenchHost, openBenchHost } from "./bench-host.ts";
import { lastOverFirst, type SimCase, type SimResults } from "./report.ts";

/** Before anything counts: the engine compiles what is used much. */
const WARM_UP = 100;
/** At the beginning and at the end, whose medians are compared. */
const WINDOWS = 10;

const KINDS = ["hvm", "pv"] as const;
export type SimKind = (typeof KINDS)[number];

/**
 * Creates and destroys many guests of each kind, one after the other and side by side.
 * @throws Error when something of the guests was left
 */
export async function runSimBench(
	numbers: { guests: number; crowd: number },
	say: (line: string) => void,
): Promise<SimResults> {
	const startedAt = new Date().toISOString();
	const cases: SimCase[] = [];
	for (const kind of KINDS)
		for (const [measure, guests] of [
			[churn, numbers.guests],
			[crowd, numbers.crowd],
		] as const) {
			const found = await onFreshHost((host) => measure(host, kind, guests));
			say(`${guests} ${kind} guests, ${found.way}: ${lastOverFirst(found).toFixed(2)}`);
			cases.push(found);
		}
	return { startedAt, cases };
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
	const costs: Cost[] = [];
	for (let index = 0; index < guests; index++) {
		const stop = startTimes();
		await create(host, kind, `guest-${index}`);
		await host.client.destroy(`guest-${index}`);
		costs.push(stop());
	}
	return caseOf(kind, "one after the other", costs);
}

/** All are there at once; only creating counts. */
async function crowd(host: BenchHost, kind: SimKind, guests: number): Promise<SimCase> {
	const costs: Cost[] = [];
	for (let index = 0; index < guests; index++) {
		const stop = startTimes();
		await create(host, kind, `guest-${index}`);
		costs.push(stop());
	}
	for (let index = 0; index < guests; index++) await host.client.destroy(`guest-${index}`);
	return caseOf(kind, "side by side", costs);
}

/** Milliseconds. Everything that the guest costs is done by this process. */
interface Cost {
	wall: number;
	cpu: number;
	/** Of a fixed calculation right afterwards: on a busy machine the processors themselves are slower at times. */
	reference: number;
}

const REFERENCE = Array.from({ length: 2000 }, (_, index) => ({ index, text: `item ${index}` }));

/** Milliseconds of CPU. */
function calculate(): number {
	const cpu = process.cpuUsage();
	for (let turn = 0; turn < 4; turn++) JSON.parse(JSON.stringify(REFERENCE));
	const { user, system } = process.cpuUsage(cpu);
	return (user + system) / 1000;
}

function startTimes(): () => Cost {
	const wall = performance.now();
	const cpu = process.cpuUsage();
	return () => {
		const { user, system } = process.cpuUsage(cpu);
		return { wall: performance.now() - wall, cpu: (user + system) / 1000, reference: calculate() };
	};
}

function caseOf(kind: SimKind, way: SimCase["way"], costs: readonly Cost[]): SimCase {
	const window = Math.max(1, Math.floor(costs.length / WINDOWS));
	const medians = (of: readonly Cost[]): Cost => ({
		wall: median(of.map(({ wall }) => wall)),
		cpu: median(of.map(({ cpu }) => cpu)),
		reference: median(of.map(({ reference }) => reference)),
	});
	return {
		kind,
		way,
		guests: costs.length,
		first: medians(costs.slice(0, window)),
		last: medians(costs.slice(-window)),
		all: medians(costs),
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
