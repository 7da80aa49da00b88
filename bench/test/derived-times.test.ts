import { describe, expect, it } from "vitest";
import { countedRounds, pairedRatio, timesOf } from "../src/create/derived-times.ts";
import type { Surface } from "../src/create/surfaces.ts";
import type { Round, Sample } from "../src/create/timed-pairs.ts";

function sample(surface: Surface, returnedMs: number): Sample {
	const create = {
		guestDomid: 1,
		stubDomid: 2,
		firstDomainMs: 100,
		secondDomainMs: 200,
		stubUnpausedMs: 1000,
		qemuRunningMs: 3000,
		returnedMs,
		steps: [],
	};
	return { surface, create, destroy: { returnedMs: 500, goneMs: 600 } };
}

const round = (xl: number, own: number, kind: Partial<Round> = {}): Round => ({
	warmUp: false,
	samples: [sample("bulkhead", own), sample("xl", xl)],
	...kind,
});

describe("derived times", () => {
	it("leaves the stub's own start out of the toolstack's share", () => {
		expect(timesOf(sample("xl", 3500))).toMatchObject({
			total: 3500,
			boot: 2000,
			own: 1500,
			afterQemu: 500,
			gone: 600,
		});
	});

	it("counts neither warm-ups nor void rounds", () => {
		const rounds = [
			round(1, 1, { warmUp: true }),
			round(1, 1, { voidBecause: "somebody else's domains" }),
			round(4000, 3000),
		];
		expect(countedRounds(rounds)).toHaveLength(1);
		expect(pairedRatio(rounds, "bulkhead", "total")).toBe(0.75);
	});

	it("compares within a round", () => {
		const rounds = [round(10_000, 5000), round(20_000, 10_000), round(4000, 3900)];
		expect(pairedRatio(rounds, "bulkhead", "total")).toBe(0.5);
	});
});
