/**
 * Our client, in dom0: `node peer.mjs SOCKET ROOT`. Reads lines `CASE COUNT` and answers each with the nanoseconds that
 * it took; the other clients' programs (peer.c, peer.py) do the same.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { XenstoreClient } from "@bulkhead/xenstore";
import { type Case, VALUE } from "./cases.ts";

const [path = "", root = ""] = process.argv.slice(2);
const CROWD = 1500;
const client = await XenstoreClient.connect({ path });
await client.write(`${root}/node`, VALUE);

/** One READ of the protocol after the other, with as little between Node and the socket as can be. */
async function readByBareSocket(count: number): Promise<void> {
	const name = Buffer.from(`${root}/node\0`);
	const header = Buffer.alloc(16);
	header.writeUInt32LE(2, 0);
	header.writeUInt32LE(name.length, 12);
	const request = Buffer.concat([header, name]);
	const socket = connect(path);
	await once(socket, "connect");
	await new Promise<void>((resolve) => {
		let left = count;
		// The reply is 36 bytes: it comes in one piece.
		socket.on("data", () => {
			if (--left === 0) resolve();
			else socket.write(request);
		});
		socket.write(request);
	});
	socket.destroy();
}

/** Independent requests, in crowds. */
async function askMany(count: number, ask: () => Promise<unknown>): Promise<void> {
	for (let left = count; left > 0; left -= CROWD) await Promise.all(Array.from({ length: Math.min(left, CROWD) }, ask));
}

async function transact(directory: string): Promise<void> {
	await client.transaction(async (tx) => {
		await tx.read(`${root}/node`);
		void tx.write(`${directory}/a`, VALUE);
		void tx.write(`${directory}/b`, VALUE);
		void tx.write(`${directory}/c`, VALUE);
	});
}

const RUNS: Record<Exclude<Case, "socket-many">, (count: number) => Promise<unknown>> = {
	"read-one": async (count) => {
		for (let index = 0; index < count; index++) await client.read(`${root}/node`);
	},
	"socket-one": readByBareSocket,
	"write-one": async (count) => {
		for (let index = 0; index < count; index++) await client.write(`${root}/node`, VALUE);
	},
	"read-many": (count) => askMany(count, () => client.read(`${root}/node`)),
	"write-many": (count) => askMany(count, () => client.write(`${root}/node`, VALUE)),
	"transaction-one": async (count) => {
		for (let index = 0; index < count; index++) await transact(`${root}/t0`);
	},
	"transaction-many": async (count) => {
		const lanes = 8;
		const lane = async (directory: string): Promise<void> => {
			for (let index = 0; index < count / lanes; index++) await transact(directory);
		};
		await Promise.all(Array.from({ length: lanes }, (_, index) => lane(`${root}/t${index}`)));
	},
	watch: async (count) => {
		const watch = client.watch(`${root}/watched`);
		await watch.next();
		for (let index = 0; index < count; index++) {
			const event = watch.next();
			void client.write(`${root}/watched`, VALUE);
			await event;
		}
		watch.close();
	},
};

const WARM_UP: Partial<Record<keyof typeof RUNS, number>> = {
	"read-many": 6000,
	"write-many": 6000,
	"socket-one": 2000,
	"read-one": 3000,
	"write-one": 2000,
	"transaction-many": 400,
	watch: 400,
};

for (let lane = 0; lane < 8; lane++)
	for (const name of ["a", "b", "c"]) await client.write(`${root}/t${lane}/${name}`, VALUE);
// What a daemon gives that has run for a while: Node compiles what has been called some thousand times.
for (const [name, count] of Object.entries(WARM_UP)) await RUNS[name as keyof typeof RUNS](count);
process.stdout.write("ready\n");

for await (const line of createInterface({ input: process.stdin })) {
	const [name = "", count] = line.split(" ");
	const started = process.hrtime.bigint();
	await RUNS[name as keyof typeof RUNS](Number(count));
	process.stdout.write(`${process.hrtime.bigint() - started}\n`);
}
await client.remove(root);
client.close();
