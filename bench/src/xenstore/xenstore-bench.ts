import { loadavg } from "node:os";
import { describeCommit } from "../describe-commit.ts";
import { LineProgram } from "../line-program.ts";
import { median } from "../statistics.ts";
import type { BenchPlace, Server } from "./bench-place.ts";
import { BENCH_ROOT, CASE_NAMES, CASES, type Case, ONE_PEERS } from "./cases.ts";
import { PEER_NAMES, type PeerName } from "./peers.ts";

const WARM_UP_ROUNDS = 3;

/** Microseconds for one unit of the case, a value for each round that counts; rounds are the same for all clients. */
export type PeerTimes = Record<PeerName, number[]>;

export interface XenstoreResults {
	startedAt: string;
	endedAt: string;
	commit: string;
	place: readonly string[];
	versions: Record<PeerName, string>;
	loadBefore: number;
	rounds: number;
	times: Partial<Record<Server, Record<Case, PeerTimes>>>;
}

export interface XenstoreBenchOptions {
	rounds: number;
	servers: readonly Server[];
	say: (line: string) => void;
}

/** Our client, libxenstore and pyxs on the same server: every case in rounds that take the clients in turn. */
export async function runXenstoreBench(place: BenchPlace, options: XenstoreBenchOptions): Promise<XenstoreResults> {
	const { rounds, servers, say } = options;
	const startedAt = new Date().toISOString();
	const commit = await describeCommit();
	const loadBefore = loadavg()[0] ?? Number.NaN;
	const times: XenstoreResults["times"] = {};
	for (const server of servers) {
		say(`measuring on ${server}`);
		times[server] = await place.withServer(server, (socket) => measure(place, socket, rounds, say));
	}
	const { description, versions } = place;
	const endedAt = new Date().toISOString();
	return { startedAt, endedAt, commit, place: description, versions, loadBefore, rounds, times };
}

async function measure(
	place: BenchPlace,
	socket: string,
	rounds: number,
	say: (line: string) => void,
): Promise<Record<Case, PeerTimes>> {
	const programs: { name: PeerName; program: LineProgram }[] = [];
	try {
		for (const name of PEER_NAMES) {
			const program = LineProgram.start(place, name, place.startPeer[name](socket, `${BENCH_ROOT}-${name}`));
			programs.push({ name, program });
			await program.next();
		}
		const results = {} as Record<Case, PeerTimes>;
		for (const name of CASE_NAMES) {
			const only = ONE_PEERS[name];
			const asked = only === undefined ? programs : programs.filter((peer) => peer.name === only);
			const times = await measureCase({ name, count: CASES[name].count * place.haste, programs: asked, rounds });
			const medians = asked.map(({ name }) => name).map((peer) => `${peer} ${Math.round(median(times[peer]))}`);
			say(`  ${CASES[name].title}, µs: ${medians.join(", ")}`);
			results[name] = times;
		}
		return results;
	} finally {
		for (const { program } of programs) await program.close();
	}
}

interface MeasureCase {
	name: Case;
	/** Units in a round. */
	count: number;
	programs: readonly { name: PeerName; program: LineProgram }[];
	rounds: number;
}

/** Every round begins with another client, so that none always follows the same. */
async function measureCase({ name, count, programs, rounds }: MeasureCase): Promise<PeerTimes> {
	const times: PeerTimes = { bulkhead: [], libxenstore: [], pyxs: [] };
	for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
		const first = round % programs.length;
		for (const peer of [...programs.slice(first), ...programs.slice(0, first)]) {
			const nanoseconds = Number(await peer.program.ask(`${name} ${count}`));
			if (round >= WARM_UP_ROUNDS) times[peer.name].push(nanoseconds / count / 1000);
		}
	}
	return times;
}
