import { loadavg } from "node:os";
import type { Lab } from "@bulkhead/lab";
import { describeCommit } from "../describe-commit.ts";
import { LineProgram } from "../line-program.ts";
import { median } from "../statistics.ts";
import { BENCH_ROOT, CASE_NAMES, CASES, type Case, OURS_ALONE } from "./cases.ts";
import { installPeers, PEER_NAMES, type PeerName, type Peers, removePeers } from "./install-peers.ts";

export const SERVERS = ["xenstored", "oxenstored"] as const;
export type Server = (typeof SERVERS)[number];

const XENSTORED_SOCKET = "/run/xenstored/socket";
const WARM_UP_ROUNDS = 3;

/** Microseconds for one unit of the case, a value for each round that counts; rounds are the same for all clients. */
export type PeerTimes = Record<PeerName, number[]>;

export interface XenstoreResults {
	startedAt: string;
	endedAt: string;
	commit: string;
	lab: ReturnType<Lab["describe"]>;
	versions: Record<PeerName, string>;
	loadBefore: { dom0: string; machine: number };
	rounds: number;
	times: Partial<Record<Server, Record<Case, PeerTimes>>>;
}

export interface XenstoreBenchOptions {
	rounds: number;
	servers: readonly Server[];
	say: (line: string) => void;
}

/** Our client, libxenstore and pyxs on the same server: every case in rounds that take the clients in turn. */
export async function runXenstoreBench(lab: Lab, options: XenstoreBenchOptions): Promise<XenstoreResults> {
	const { rounds, servers, say } = options;
	const startedAt = new Date().toISOString();
	const commit = await describeCommit();
	try {
		const peers = await installPeers(lab, say);
		const loadBefore = { dom0: (await lab.run(["cat", "/proc/loadavg"])).trim(), machine: loadavg()[0] ?? Number.NaN };
		const times: XenstoreResults["times"] = {};
		for (const server of servers) {
			say(`measuring on ${server}`);
			times[server] = await withServer(lab, peers, server, (socket) => measure(lab, peers, socket, rounds, say));
		}
		return {
			startedAt,
			endedAt: new Date().toISOString(),
			commit,
			lab: lab.describe(),
			versions: peers.versions,
			loadBefore,
			rounds,
			times,
		};
	} finally {
		await removePeers(lab);
	}
}

async function withServer<T>(lab: Lab, peers: Peers, server: Server, act: (socket: string) => Promise<T>): Promise<T> {
	if (server === "xenstored") return act(XENSTORED_SOCKET);
	const program = LineProgram.start(lab, "oxenstored", peers.oxenstored);
	try {
		return await act(await program.next());
	} finally {
		await program.close();
	}
}

async function measure(
	lab: Lab,
	peers: Peers,
	socket: string,
	rounds: number,
	say: (line: string) => void,
): Promise<Record<Case, PeerTimes>> {
	const programs: { name: PeerName; program: LineProgram }[] = [];
	try {
		for (const name of PEER_NAMES) {
			const program = LineProgram.start(lab, name, peers.start[name](socket, `${BENCH_ROOT}-${name}`));
			programs.push({ name, program });
			await program.next();
		}
		const results = {} as Record<Case, PeerTimes>;
		for (const name of CASE_NAMES) {
			const asked = OURS_ALONE.has(name) ? programs.filter((peer) => peer.name === "bulkhead") : programs;
			const times = await measureCase(name, asked, rounds);
			const medians = asked.map(({ name }) => name).map((peer) => `${peer} ${Math.round(median(times[peer]))}`);
			say(`  ${CASES[name].title}, µs: ${medians.join(", ")}`);
			results[name] = times;
		}
		return results;
	} finally {
		for (const { program } of programs) await program.close();
	}
}

/** Every round begins with another client, so that none always follows the same. */
async function measureCase(
	name: Case,
	programs: readonly { name: PeerName; program: LineProgram }[],
	rounds: number,
): Promise<PeerTimes> {
	const { count } = CASES[name];
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
