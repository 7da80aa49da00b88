import { median } from "../statistics.ts";
import type { Pair } from "./open-pair.ts";
import type { PairName } from "./pairs.ts";
import { RING_SIZES, type RingSize } from "./ring-sizes.ts";

/** Node compiles what has been called some thousand times. */
const WARM_UP_ROUNDS = 2;

/** One value for each round that counts; rounds are the same for all pairs. */
export interface PairFigures {
	/** One way, bytes a second. */
	toServer: number[];
	toClient: number[];
	/** Nanoseconds of each round trip. */
	trips: number[][];
}

export type RingFigures = Partial<Record<PairName, PairFigures>>;

export interface MeasureRings {
	size: RingSize;
	names: readonly PairName[];
	open: (name: PairName, size: RingSize) => Promise<Pair>;
	rounds: number;
	/** Round trips in each round. */
	trips: number;
	say: (line: string) => void;
}

interface OpenPair {
	name: PairName;
	pair: Pair;
	figures: PairFigures;
}

/** Pairs over rings of one size, each of the three measurements in turn, every round beginning with another pair. */
export async function measureRings({ size, names, open, rounds, trips, say }: MeasureRings): Promise<RingFigures> {
	const pairs: OpenPair[] = [];
	try {
		for (const name of names)
			pairs.push({ name, pair: await open(name, size), figures: { toServer: [], toClient: [], trips: [] } });
		for (let round = -WARM_UP_ROUNDS; round < rounds; round++)
			await measureRound(rotated(pairs, round + WARM_UP_ROUNDS), { size, trips, isCounted: round >= 0 });
	} finally {
		for (const { pair } of pairs) await pair.close();
	}
	for (const { name, figures } of pairs) say(`  ${name}: ${describe(figures)}`);
	return Object.fromEntries(pairs.map(({ name, figures }) => [name, figures]));
}

async function measureRound(
	pairs: readonly OpenPair[],
	{ size, trips, isCounted }: { size: RingSize; trips: number; isCounted: boolean },
): Promise<void> {
	const { bytes } = RING_SIZES[size];
	const rate = async (pair: Pair, name: "take" | "give"): Promise<number> => {
		const [ns = Number.NaN] = await pair.ask({ name, count: bytes });
		return (bytes * 1e9) / ns;
	};
	for (const { pair, figures } of pairs) {
		const measured = await rate(pair, "take");
		if (isCounted) figures.toServer.push(measured);
	}
	for (const { pair, figures } of pairs) {
		const measured = await rate(pair, "give");
		if (isCounted) figures.toClient.push(measured);
	}
	for (const { pair, figures } of pairs) {
		const measured = await pair.ask({ name: "echo", count: trips });
		if (isCounted) figures.trips.push(measured);
	}
}

function rotated<T>(all: readonly T[], by: number): T[] {
	const at = by % all.length;
	return [...all.slice(at), ...all.slice(0, at)];
}

function describe({ toServer, toClient, trips }: PairFigures): string {
	const kib = (rates: readonly number[]): string => `${Math.round(median(rates) / 1024)}`;
	return `${kib(toServer)} and ${kib(toClient)} KiB/s, a round trip in ${(median(trips.flat()) / 1e6).toFixed(2)} ms`;
}
