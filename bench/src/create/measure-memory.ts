import type { Lab } from "@bulkhead/lab";
import { BENCH_DIRECTORY, configText, FASTEST_FILES, TINY_IMAGE } from "./bench-guest.ts";
import { writeDom0File } from "./prepare-dom0.ts";
import { listProcessMemory, type ProcessMemory } from "./process-memory.ts";

/** What a number of guests costs dom0. */
export interface MemoryPoint {
	guests: number;
	/** The toolstack's, without xenstored and xenconsoled, which both toolstacks need. */
	processes: ProcessMemory[];
	pssKiB: number;
	anonymousKiB: number;
}

const CREATE_TIMEOUT_MS = 240_000;
/** Programs that stay: bulkhead's for all guests, the peer's with each. */
const STAYING = {
	bulkhead: (program: string): boolean => program === "bulkheadd.mjs" || program === "bulkhead-relay.mjs",
	xl: (program: string): boolean => /^(xl|vchan-socket-proxy|(xen-)?qemu-system-.*)$/.test(program),
} as const;

export interface MeasureMemory {
	lab: Lab;
	program: "xl" | "bulkhead";
	/** Numbers of guests to measure at, ascending. */
	counts: readonly number[];
	/** Of the processes that stay, those that matter. Default: all of the toolstack's. */
	isCounted?: (program: string) => boolean;
	say: (line: string) => void;
}

/** Creates guests one after the other and looks at dom0's processes on the way; destroys them all in the end. */
export async function measureMemory({ lab, program, counts, isCounted, say }: MeasureMemory): Promise<MemoryPoint[]> {
	const points: MemoryPoint[] = [];
	const names: string[] = [];
	try {
		for (const count of [0, ...counts]) {
			while (names.length < count) names.push(await createGuest(lab, program, names.length + 1));
			const point = await measurePoint(lab, count, isCounted ?? STAYING[program]);
			say(`${program}, ${count} guests: ${point.processes.length} processes, ${point.pssKiB} KiB PSS`);
			points.push(point);
		}
		return points;
	} finally {
		for (const name of names) await lab.exec([program, "destroy", name], { timeoutMs: CREATE_TIMEOUT_MS });
	}
}

async function createGuest(lab: Lab, program: MeasureMemory["program"], number: number): Promise<string> {
	const name = `bench-m${number}`;
	const diskPath = `${BENCH_DIRECTORY}/${name}.img`;
	const file = `${BENCH_DIRECTORY}/${name}.cfg`;
	await lab.run(["cp", TINY_IMAGE, diskPath]);
	await writeDom0File(lab, file, configText({ name, diskPath, stub: FASTEST_FILES }));
	const { exitCode, stderr } = await lab.exec([program, "create", file], { timeoutMs: CREATE_TIMEOUT_MS });
	if (exitCode !== 0) throw new Error(`${program} create ${name} ended with ${exitCode}: ${stderr}`);
	return name;
}

async function measurePoint(lab: Lab, guests: number, isCounted: (program: string) => boolean): Promise<MemoryPoint> {
	const processes = (await listProcessMemory(lab)).filter(({ program }) => isCounted(program));
	const sum = (size: "pssKiB" | "anonymousKiB"): number => processes.reduce((total, each) => total + each[size], 0);
	return { guests, processes, pssKiB: sum("pssKiB"), anonymousKiB: sum("anonymousKiB") };
}
