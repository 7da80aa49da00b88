import type { Lab } from "@bulkhead/lab";
import { LineProgram } from "../line-program.ts";
import { NODES, START } from "./install-peers.ts";
import type { Order } from "./orders.ts";
import { PAIR_NAMES, PAIRS, type PairName } from "./pairs.ts";
import { RING_SIZES, type RingSize } from "./ring-sizes.ts";

/** A client in dom0, connected to its server. */
export class Pair {
	readonly #client: LineProgram;
	readonly #server: LineProgram | undefined;

	constructor(client: LineProgram, server?: LineProgram) {
		this.#client = client;
		this.#server = server;
	}

	/** Nanoseconds: one figure, or of `echo` one for each message. */
	async ask({ name, count }: Order): Promise<number[]> {
		const answer = await this.#client.ask(`${name} ${count}`);
		return answer.split(" ").map(Number);
	}

	/** The server ends with its client. */
	async close(): Promise<void> {
		await this.#client.close();
		await this.#server?.close();
	}
}

/** With a server in dom0, too. */
export async function openInDom0(lab: Lab, name: PairName, size: RingSize): Promise<Pair> {
	const { left, right } = RING_SIZES[size];
	const path = `${NODES}/${size}-${PAIR_NAMES.indexOf(name)}`;
	const argv = [...START[PAIRS[name].server], "server", path, `${left}`, `${right}`];
	const server = LineProgram.start(lab, `the server of ${name}`, argv);
	try {
		await server.next();
		return new Pair(await startClient(lab, name, path, 0), server);
	} catch (error) {
		await server.close();
		throw error;
	}
}

/** Of a server that is there already, and publishes at the path. */
export async function startClient(lab: Lab, name: PairName, path: string, domid: number): Promise<LineProgram> {
	const client = LineProgram.start(lab, `the client of ${name}`, [
		...START[PAIRS[name].client],
		"client",
		path,
		`${domid}`,
	]);
	try {
		await client.next();
		return client;
	} catch (error) {
		await client.close();
		throw error;
	}
}
