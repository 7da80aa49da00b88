import type { Lab } from "@bulkhead/lab";
import type { CreateTimes, DestroyTimes } from "../dom0/protocol.ts";
import type { Observer } from "../observer.ts";
import { BENCH_DIRECTORY, configText, DEBIAN_FILES, FASTEST_FILES, type StubFiles, TINY_IMAGE } from "./bench-guest.ts";
import { awaitEmptyHost, listGuestNames, writeDom0File } from "./prepare-dom0.ts";
import { createBy, destroyBy, type PlacedConfig, SURFACES, type Surface } from "./surfaces.ts";

export interface PairCase {
	name: "a" | "b";
	title: string;
	xl: StubFiles;
	/** Absent: bulkheadd's own default. */
	bulkhead: StubFiles | undefined;
}

export const PAIR_CASES: readonly PairCase[] = [
	{ name: "a", title: "the same vmlinux and cpio for both", xl: FASTEST_FILES, bulkhead: FASTEST_FILES },
	{ name: "b", title: "Debian's bzImage and a gzip ramdisk; our default", xl: DEBIAN_FILES, bulkhead: undefined },
];

export interface Sample {
	surface: Surface;
	create: CreateTimes;
	destroy: DestroyTimes;
}

/** One create by each surface, in one go. */
export interface Round {
	warmUp: boolean;
	/** Why the times count for nothing, and the round was run again; absent when they count. */
	voidBecause?: "somebody else's domains";
	samples: Sample[];
	/** How a void round ended early, if it did. */
	failure?: string;
}

export interface MeasurePairs {
	lab: Lab;
	observer: Observer;
	pairs: number;
	/** Others may create domains meanwhile. */
	isShared: boolean;
	say: (line: string) => void;
}

/** Creates and destroys the same guest by every surface in turn; every other round goes backwards. */
export async function measurePairs(pairCase: PairCase, options: MeasurePairs): Promise<Round[]> {
	const { lab, pairs, say, isShared } = options;
	const configs = await placeConfigs(lab, pairCase);
	const rounds: Round[] = [];
	for (let counted = -1; counted < pairs; ) {
		const order = rounds.length % 2 === 0 ? SURFACES : SURFACES.toReversed();
		if (!isShared) await awaitEmptyHost(lab, say);
		const round = { warmUp: counted < 0, ...(await runRound(order, configs, options)) };
		rounds.push(round);
		say(`case ${pairCase.name}, ${counted < 0 ? "warm-up" : `round ${counted + 1}`}: ${describe(round)}`);
		if (!round.voidBecause) counted++;
	}
	return rounds;
}

type Configs = (surface: Surface) => PlacedConfig;

async function placeConfigs(lab: Lab, { name: caseName, xl, bulkhead }: PairCase): Promise<Configs> {
	const place = async (whose: string, stub: StubFiles | undefined): Promise<PlacedConfig> => {
		const name = `bench-${caseName}`;
		const file = `${BENCH_DIRECTORY}/${whose}-${name}.cfg`;
		const text = configText({ name, diskPath: TINY_IMAGE, stub });
		await writeDom0File(lab, file, text);
		return { name, file, text };
	};
	const [ofXl, ofBulkhead] = [await place("xl", xl), await place("bulkhead", bulkhead)];
	return (surface) => (surface === "xl" ? ofXl : ofBulkhead);
}

async function runRound(
	order: readonly Surface[],
	configs: Configs,
	{ lab, observer, isShared }: MeasurePairs,
): Promise<Omit<Round, "warmUp">> {
	const samples: Sample[] = [];
	const whyVoid = async (): Promise<Round["voidBecause"]> => {
		const isDisturbed = hasGap(samples) || (await listGuestNames(lab)).length > 0;
		return isDisturbed && !isShared ? "somebody else's domains" : undefined;
	};
	for (const surface of order) {
		const config = configs(surface);
		try {
			const create = await observer.create(config.name, createBy(surface, config));
			samples.push({ surface, create, destroy: await observer.destroy(destroyBy(surface, config)) });
		} catch (error) {
			await lab.exec([surface === "xl" ? "xl" : "bulkhead", "destroy", config.name]);
			const voidBecause = await whyVoid();
			if (!voidBecause) throw error;
			return { voidBecause, samples, failure: String(error) };
		}
	}
	return { voidBecause: await whyVoid(), samples };
}

/** Domains that this round did not create, but somebody did meanwhile, took numbers between ours. */
function hasGap(samples: readonly Sample[]): boolean {
	const domids = samples.flatMap(({ create }) => [create.guestDomid, create.stubDomid]);
	return domids.length > 0 && Math.max(...domids) - Math.min(...domids) >= domids.length;
}

function describe({ samples, voidBecause }: Round): string {
	const times = samples.map(({ surface, create }) => `${surface} ${(create.returnedMs / 1000).toFixed(2)} s`);
	return `${times.join(", ")}${voidBecause ? ` (void: ${voidBecause})` : ""}`;
}
