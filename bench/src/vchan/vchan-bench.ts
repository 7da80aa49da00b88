import { loadavg } from "node:os";
import type { Lab } from "@bulkhead/lab";
import { awaitEmptyHost } from "../create/prepare-dom0.ts";
import { describeCommit } from "../describe-commit.ts";
import { installPeers, removePeers } from "./install-peers.ts";
import { type MeasureRings, measureRings, type RingFigures } from "./measure-rings.ts";
import { openInDom0 } from "./open-pair.ts";
import { PAIRS_AT, type Place } from "./pairs.ts";
import { describeRings, type RingSize } from "./ring-sizes.ts";
import { ServerGuest } from "./server-guest.ts";

export interface VchanResults {
	startedAt: string;
	commit: string;
	lab: ReturnType<Lab["describe"]>;
	loadBefore: { dom0: string; machine: number };
	rounds: number;
	trips: number;
	measured: { place: Place; size: RingSize; figures: RingFigures }[];
}

export interface VchanBenchOptions {
	rounds: number;
	trips: number;
	places: readonly Place[];
	sizes: readonly RingSize[];
	say: (line: string) => void;
}

/** Our ends of a vchan and libxenvchan's, each with each in dom0, and our client beside C's at a server in a guest. */
export async function runVchanBench(lab: Lab, options: VchanBenchOptions): Promise<VchanResults> {
	const { rounds, trips, places, say } = options;
	const startedAt = new Date().toISOString();
	const commit = await describeCommit();
	await awaitEmptyHost(lab, say);
	try {
		await installPeers(lab);
		const loadBefore = { dom0: (await lab.run(["cat", "/proc/loadavg"])).trim(), machine: loadavg()[0] ?? Number.NaN };
		const measured: VchanResults["measured"] = [];
		for (const place of places) measured.push(...(await measurePlace(lab, place, options)));
		return { startedAt, commit, lab: lab.describe(), loadBefore, rounds, trips, measured };
	} finally {
		await removePeers(lab);
	}
}

async function measurePlace(
	lab: Lab,
	place: Place,
	{ rounds, trips, sizes, say }: VchanBenchOptions,
): Promise<VchanResults["measured"]> {
	const measureAll = async (open: MeasureRings["open"]): Promise<VchanResults["measured"]> => {
		const measured: VchanResults["measured"] = [];
		for (const size of sizes) {
			say(`measuring rings of ${describeRings(size)}, server in ${place}`);
			const figures = await measureRings({ size, names: PAIRS_AT[place], open, rounds, trips, say });
			measured.push({ place, size, figures });
		}
		return measured;
	};
	if (place === "dom0") return measureAll((name, size) => openInDom0(lab, name, size));
	try {
		say("starting a guest with C servers");
		const guest = await ServerGuest.create(lab);
		return await measureAll((name, size) => guest.open(name, size));
	} finally {
		await ServerGuest.destroy(lab);
	}
}
