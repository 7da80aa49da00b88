import type { Lab } from "@bulkhead/lab";
import type { CreateTimes, DestroyTimes } from "../dom0/protocol.ts";
import type { Observer } from "../observer.ts";
import { BENCH_DIRECTORY, configText, DEBIAN_FILES, FASTEST_FILES, type StubFiles, TINY_IMAGE } from "./bench-guest.ts";
import { writeDom0File } from "./prepare-dom0.ts";
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
	/** The emulator killed a guest by mistake: the times count for nothing, and the round was run again. */
	isVoid: boolean;
	samples: Sample[];
	/** Why a void round ended early, if it did. */
	failure?: string;
}

export interface MeasurePairs {
	lab: Lab;
	observer: Observer;
	pairs: number;
	say: (line: string) => void;
}

/** Creates and destroys the same guest by every surface in turn; every other round goes backwards. */
export async function measurePairs(pairCase: PairCase, options: MeasurePairs): Promise<Round[]> {
	const { lab, observer, pairs, say } = options;
	const configs = await placeConfigs(lab, pairCase);
	const rounds: Round[] = [];
	for (let counted = -1; counted < pairs; ) {
		const order = rounds.length % 2 === 0 ? SURFACES : SURFACES.toReversed();
		const round = await runRound(lab, observer, order, configs, counted < 0);
		rounds.push(round);
		say(`case ${pairCase.name}, ${counted < 0 ? "warm-up" : `round ${counted + 1}`}: ${describe(round)}`);
		if (!round.isVoid) counted++;
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
	lab: Lab,
	observer: Observer,
	order: readonly Surface[],
	configs: Configs,
	warmUp: boolean,
): Promise<Round> {
	const faultsBefore = await lab.tripleFaults();
	const samples: Sample[] = [];
	for (const surface of order) {
		const config = configs(surface);
		try {
			const create = await observer.create(createBy(surface, config));
			samples.push({ surface, create, destroy: await observer.destroy(destroyBy(surface, config)) });
		} catch (error) {
			await lab.exec([surface === "xl" ? "xl" : "bulkhead", "destroy", config.name]);
			if ((await lab.tripleFaults()) === faultsBefore) throw error;
			return { warmUp, isVoid: true, samples, failure: String(error) };
		}
	}
	return { warmUp, isVoid: (await lab.tripleFaults()) > faultsBefore, samples };
}

function describe({ samples, isVoid }: Round): string {
	const times = samples.map(({ surface, create }) => `${surface} ${(create.returnedMs / 1000).toFixed(2)} s`);
	return `${times.join(", ")}${isVoid ? " (void: the emulator's triple fault)" : ""}`;
}
