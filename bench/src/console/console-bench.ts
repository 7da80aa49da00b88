import { loadavg } from "node:os";
import { join } from "node:path";
import type { Lab } from "@bulkhead/lab";
import { bundleIntoDom0 } from "../bundle-into-dom0.ts";
import { type MemoryPoint, measureMemory } from "../create/measure-memory.ts";
import { awaitEmptyHost, prepareDom0 } from "../create/prepare-dom0.ts";
import { describeCommit } from "../describe-commit.ts";
import type { LineProgram } from "../line-program.ts";
import { median } from "../statistics.ts";
import { CONSOLE_SERVERS, type ConsoleServer, ECHOES, endConsoles, PUMP, startConsoles } from "./console-guests.ts";

export const PARTS = ["transfer", "memory"] as const;
export type Part = (typeof PARTS)[number];

const WARM_UP_ROUNDS = 1;

export interface ConsoleResults {
	startedAt: string;
	commit: string;
	lab: ReturnType<Lab["describe"]>;
	loadBefore: { dom0: string; machine: number };
	bytes: number;
	transfer?: Record<ConsoleServer, { echoMs: number[]; bytesPerSecond: number[]; keptTails: number }>;
	memory?: { xl: MemoryPoint[]; bulkhead: MemoryPoint[] };
}

export interface ConsoleBenchOptions {
	rounds: number;
	bytes: number;
	guestCounts: readonly number[];
	parts: ReadonlySet<Part>;
	say: (line: string) => void;
}

/** The same guests' consoles at the hands of four servers, in turn; and what the servers' processes cost dom0. */
export async function runConsoleBench(lab: Lab, options: ConsoleBenchOptions): Promise<ConsoleResults> {
	const { bytes, guestCounts, parts, say } = options;
	const startedAt = new Date().toISOString();
	await awaitEmptyHost(lab, say);
	await prepareDom0(lab, say);
	const loadBefore = { dom0: (await lab.run(["cat", "/proc/loadavg"])).trim(), machine: loadavg()[0] ?? Number.NaN };
	const transfer = parts.has("transfer") ? { transfer: await measureTransfers(lab, options) } : {};
	const memoryOf = (program: "xl" | "bulkhead", isCounted: (name: string) => boolean): Promise<MemoryPoint[]> =>
		measureMemory({ lab, program, counts: guestCounts, isCounted, say });
	const memory = parts.has("memory")
		? {
				memory: {
					xl: await memoryOf("xl", (name) => /qemu-system/.test(name)),
					bulkhead: await memoryOf("bulkhead", (name) => name === "bulkhead-relay.mjs"),
				},
			}
		: {};
	return { startedAt, commit: await describeCommit(), lab: lab.describe(), loadBefore, bytes, ...transfer, ...memory };
}

async function measureTransfers(
	lab: Lab,
	{ rounds, bytes, say }: ConsoleBenchOptions,
): Promise<NonNullable<ConsoleResults["transfer"]>> {
	await bundleIntoDom0(lab, join(import.meta.dirname, "pump-main.ts"), PUMP);
	let consoles: Record<ConsoleServer, LineProgram> | undefined;
	try {
		say("starting three guests");
		consoles = await startConsoles(lab);
		const results = {} as NonNullable<ConsoleResults["transfer"]>;
		for (const server of CONSOLE_SERVERS) {
			const echoes = (await consoles[server].ask(`echo ${ECHOES}`)).split(" ").map(Number);
			results[server] = { echoMs: echoes.map((ns) => ns / 1e6), bytesPerSecond: [], keptTails: 0 };
			say(`${server}: an echo in ${median(results[server].echoMs).toFixed(2)} ms`);
		}
		for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++)
			for (const server of CONSOLE_SERVERS) {
				const [nanoseconds = Number.NaN, keptTails = 0] = (await consoles[server].ask(`bulk ${bytes}`))
					.split(" ")
					.map(Number);
				results[server].keptTails += keptTails;
				const bytesPerSecond = (bytes * 1e9) / nanoseconds;
				say(`${server}: ${Math.round(bytesPerSecond / 1024)} KiB/s`);
				if (round >= WARM_UP_ROUNDS) results[server].bytesPerSecond.push(bytesPerSecond);
			}
		return results;
	} finally {
		await endConsoles(lab, consoles ? Object.values(consoles) : []);
	}
}
