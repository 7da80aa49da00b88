import { XenstoreClient } from "@bulkhead/xenstore";
import { percentile } from "./measure-requests.ts";
import type { ServerProcess } from "./server-process.ts";

export interface LoadFigures {
	what: string;
	/** Of the server's process, when this was there. Bytes. */
	rssBytes: number;
	heapBytes: number;
	/** Of one client's requests meanwhile. */
	readsPerSecond: number;
	writesPerSecond: number;
	readP99Microseconds: number;
	writeP99Microseconds: number;
}

const CONNECTIONS = 1000;
const NODES = 100_000;
const WATCHES = 10_000;
const NODES_PER_FOLDER = 1000;
const SAMPLES = 5000;

/** Lets the server hold more and more, and asks each time what that costs those who want something else. */
export async function measureLoad(server: ServerProcess): Promise<LoadFigures[]> {
	const { path } = server;
	await using client = await XenstoreClient.connect({ path });
	const figures = [await sample("nothing", client, server)];
	for (let folder = 0; folder < NODES / NODES_PER_FOLDER; folder++)
		await client.batch((batch) => {
			for (let index = 0; index < NODES_PER_FOLDER; index++) batch.write(`/load/${folder}/${index}`, `value ${index}`);
		});
	figures.push(await sample(`${NODES} nodes`, client, server));
	const others: XenstoreClient[] = [];
	try {
		while (others.length < CONNECTIONS) others.push(await XenstoreClient.connect({ path }));
		figures.push(await sample(`… ${CONNECTIONS} connections`, client, server));
		const perClient = WATCHES / CONNECTIONS;
		for (const [index, other] of others.entries())
			for (let each = 0; each < perClient; each++)
				await other.watch(`/load/${(index * perClient + each) % (NODES / NODES_PER_FOLDER)}/${index}`).ready;
		figures.push(await sample(`… ${WATCHES} watches`, client, server));
	} finally {
		for (const other of others) other.close();
	}
	return figures;
}

async function sample(what: string, client: XenstoreClient, server: ServerProcess): Promise<LoadFigures> {
	const reads = await timeEach(() => client.read("/tool/xenstored"));
	const writes = await timeEach(() => client.write("/sample", "value"));
	const { rssBytes, heapBytes } = await server.memory();
	return {
		what,
		rssBytes,
		heapBytes,
		readsPerSecond: reads.perSecond,
		writesPerSecond: writes.perSecond,
		readP99Microseconds: reads.p99,
		writeP99Microseconds: writes.p99,
	};
}

async function timeEach(ask: () => Promise<unknown>): Promise<{ perSecond: number; p99: number }> {
	const times: number[] = [];
	const began = performance.now();
	for (let index = 0; index < SAMPLES; index++) {
		const asked = performance.now();
		await ask();
		times.push((performance.now() - asked) * 1000);
	}
	return { perSecond: (SAMPLES / (performance.now() - began)) * 1000, p99: percentile(times, 0.99) };
}
