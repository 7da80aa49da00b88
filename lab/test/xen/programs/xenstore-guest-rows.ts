import assert from "node:assert/strict";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { Row, RowOutcome } from "./rows.ts";

/** What the guest's program prints, a line each. */
export type GuestLine = { outcome: RowOutcome } | { done: true };

type Body = (client: XenstoreClient) => Promise<Record<string, unknown> | undefined>;

/** Our client inside an unprivileged domain, which may write `data` and nothing else of its directory. */
const BODIES: Record<string, Body> = {
	"relative paths are the domain's own": async (client) => {
		const domid = await client.readText("domid");
		assert.match(domid, /^[1-9]\d*$/);
		assert.equal(await client.readText(`/local/domain/${domid}/domid`), domid);
		return { domid };
	},
	"what it owns it writes, watches and removes": async (client) => {
		const watch = client.watch("data/rows");
		assert.equal((await watch.next()).value, "data/rows");
		await client.write("data/rows/a", "grüße");
		assert.equal((await watch.next()).value, "data/rows/a");
		assert.equal(await client.readText("data/rows/a"), "grüße");
		watch.close();
		await client.remove("data/rows");
		assert.equal(await client.find("data/rows"), undefined);
		return undefined;
	},
	"what it does not own it does not write": async (client) => {
		await assert.rejects(client.write("domid", "0"), { code: "xenstore-refused", errno: "EACCES" });
		await assert.rejects(client.write("/local/domain/0/name", "guest"), { errno: "EACCES" });
		return undefined;
	},
	"requests that overlap are all answered": async (client) => {
		await Promise.all(Array.from({ length: 60 }, (_, index) => client.write(`data/n${index % 7}`, index)));
		assert.equal(await client.readText("data/n3"), "59");
		for (let index = 0; index < 7; index++) await client.remove(`data/n${index}`);
		return { requests: client.stats.requests };
	},
	"transactions are taken whole": async (client) => {
		await client.transaction(async (tx) => {
			void tx.write("data/a", "1");
			void tx.write("data/b", "2");
		});
		assert.deepEqual([await client.readText("data/a"), await client.readText("data/b")], ["1", "2"]);
		await client.batch((batch) => {
			batch.remove("data/a");
			batch.remove("data/b");
		});
		assert.equal(await client.find("data/a"), undefined);
		return { transactions: client.stats.transactions };
	},
	"a request above the kernel's buffer never leaves": async (client) => {
		await assert.rejects(client.write("data/a", Buffer.alloc(4080)), { code: "invalid-input" });
		assert.equal(await client.find("data/a"), undefined);
		return undefined;
	},
};

export function xenstoreGuestRows(connect: () => Promise<XenstoreClient>): Row[] {
	return Object.entries(BODIES).map(([name, body]) => ({
		name: `inside a guest: ${name}`,
		run: async () => {
			const client = await connect();
			try {
				return await body(client);
			} finally {
				client.close();
			}
		},
	}));
}
