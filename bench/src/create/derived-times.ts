import { median, type Summary, summarize } from "../statistics.ts";
import type { Surface } from "./surfaces.ts";
import type { Round, Sample } from "./timed-pairs.ts";

/** Quantities that one create and destroy yield, in milliseconds. */
export const TIMES = {
	total: "create, to the return",
	qemu: "create, to QEMU running",
	beforeUnpause: "… start to stub unpaused",
	boot: "… stub unpaused to QEMU running",
	afterQemu: "… QEMU running to the return",
	own: "toolstack's own share",
	destroy: "destroy, to the return",
	gone: "destroy, until Xen has let go",
} as const;
export type TimeName = keyof typeof TIMES;

/** The toolstack's own share is all but the time between the stub's unpausing and its QEMU's `running`. */
export function timesOf({ create, destroy }: Sample): Record<TimeName, number> {
	const boot = create.qemuRunningMs - create.stubUnpausedMs;
	return {
		total: create.returnedMs,
		qemu: create.qemuRunningMs,
		beforeUnpause: create.stubUnpausedMs,
		boot,
		afterQemu: create.returnedMs - create.qemuRunningMs,
		own: create.returnedMs - boot,
		destroy: destroy.returnedMs,
		gone: destroy.goneMs,
	};
}

/** Rounds that count: neither the warm-up nor void ones. */
export const countedRounds = (rounds: readonly Round[]): Round[] =>
	rounds.filter(({ warmUp, voidBecause }) => !warmUp && !voidBecause);

export function summarizeTime(rounds: readonly Round[], surface: Surface, time: TimeName): Summary {
	return summarize(timesBySurface(rounds, surface, time));
}

/** The median of the ratios within each round, which load that changes slowly does not touch. */
export function pairedRatio(rounds: readonly Round[], surface: Surface, time: TimeName): number {
	const peer = timesBySurface(rounds, "xl", time);
	return median(timesBySurface(rounds, surface, time).map((value, at) => value / (peer[at] ?? Number.NaN)));
}

function timesBySurface(rounds: readonly Round[], surface: Surface, time: TimeName): number[] {
	return countedRounds(rounds).map(({ samples }) => {
		const sample = samples.find((each) => each.surface === surface);
		if (!sample) throw new TypeError(`A round that counts lacks ${surface}`);
		return timesOf(sample)[time];
	});
}

/** Of the rounds by request: when each step of bulkheadd began and how long it took, medians in plan order. */
export function summarizeSteps(rounds: readonly Round[]): { title: string; startedMs: number; ms: number }[] {
	const byTitle = new Map<string, { startedMs: number[]; ms: number[] }>();
	for (const { samples } of countedRounds(rounds))
		for (const { surface, create } of samples) {
			if (surface !== "bulkhead-api") continue;
			for (const { title, startedMs, ms } of create.steps) {
				const entry = byTitle.get(title) ?? { startedMs: [], ms: [] };
				entry.startedMs.push(startedMs);
				entry.ms.push(ms);
				byTitle.set(title, entry);
			}
		}
	return [...byTitle]
		.map(([title, { startedMs, ms }]) => ({ title, startedMs: median(startedMs), ms: median(ms) }))
		.sort((a, b) => a.startedMs - b.startedMs);
}
