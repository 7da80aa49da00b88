import { loadavg } from "node:os";
import { join } from "node:path";
import type { Lab } from "@bulkhead/lab";
import { compileForDom0 } from "../compile-for-dom0.ts";
import { awaitEmptyHost } from "../create/prepare-dom0.ts";
import { describeCommit } from "../describe-commit.ts";
import { LineProgram } from "../line-program.ts";
import { endQmpGuests, QMP_SERVERS, type QmpServer, startQmpGuests } from "./qmp-guests.ts";
import { parseTrips, type Trips } from "./trips.ts";

const PROGRAM = "/run/bulkhead-bench/qmp-trips";
const WARM_UP_ROUNDS = 2;
/** As many as the relay lets in at one socket. */
export const CROWD = 16;

export interface QmpResults {
	startedAt: string;
	commit: string;
	lab: ReturnType<Lab["describe"]>;
	loadBefore: { dom0: string; machine: number };
	rounds: number;
	/** One client, one request after the other; a value for each round that counts. */
	alone: Record<QmpServer, Trips[]>;
	/** CROWD clients of the relay at once. The C proxy has one at a time. */
	crowd: Trips[];
}

export interface QmpBenchOptions {
	rounds: number;
	/** Round trips of the client that is alone, in each round. */
	trips: number;
	/** Of each of the crowd. */
	crowdTrips: number;
	say: (line: string) => void;
}

/** The same client program at a stub domain's QMP, by Xen's C proxy and by the relay, in turn. */
export async function runQmpBench(lab: Lab, options: QmpBenchOptions): Promise<QmpResults> {
	const { rounds, say } = options;
	const startedAt = new Date().toISOString();
	const commit = await describeCommit();
	await awaitEmptyHost(lab, say);
	const loadBefore = { dom0: (await lab.run(["cat", "/proc/loadavg"])).trim(), machine: loadavg()[0] ?? Number.NaN };
	await compileForDom0(lab, { source: join(import.meta.dirname, "trips.c"), target: PROGRAM });
	try {
		say("starting two guests with stub domains");
		const sockets = await startQmpGuests(lab);
		const measured = await measureSockets(lab, sockets, options);
		return { startedAt, commit, lab: lab.describe(), loadBefore, rounds, ...measured };
	} finally {
		await endQmpGuests(lab);
		await lab.exec(["rm", "-f", PROGRAM]);
	}
}

async function measureSockets(
	lab: Lab,
	sockets: Record<QmpServer, string>,
	{ rounds, trips, crowdTrips, say }: QmpBenchOptions,
): Promise<Pick<QmpResults, "alone" | "crowd">> {
	const results: Pick<QmpResults, "alone" | "crowd"> = { alone: { "C proxy": [], relay: [] }, crowd: [] };
	const program = LineProgram.start(lab, "the QMP client", [PROGRAM]);
	const run = async (server: QmpServer, clients: number, each: number): Promise<Trips> => {
		const measured = parseTrips(await program.ask(`${sockets[server]} ${clients} ${each}`));
		say(`${server}, ${clients} at once: ${Math.round(measured.perSecond)} round trips a second`);
		return measured;
	};
	try {
		for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
			for (const server of round % 2 === 0 ? QMP_SERVERS : QMP_SERVERS.toReversed()) {
				const measured = await run(server, 1, trips);
				if (round >= 0) results.alone[server].push(measured);
			}
			const crowd = await run("relay", CROWD, crowdTrips);
			if (round >= 0) results.crowd.push(crowd);
		}
		return results;
	} finally {
		await program.close();
	}
}
