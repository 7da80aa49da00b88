import assert from "node:assert/strict";
import { LIMITS } from "../wire/limits.ts";
import { encodeMessage } from "../wire/message.ts";
import { OPERATION } from "../wire/operations.ts";
import { encodeStrings } from "../wire/payload.ts";
import { XenstoreClient } from "../xenstore-client.ts";
import { differs, rows } from "./stage.ts";
import type { ContractRow } from "./world.ts";

const read = (path: string, requestId: number): Buffer =>
	encodeMessage({ type: OPERATION.READ, requestId, transactionId: 0, payload: encodeStrings(path) });

/** Frames, and what ends a conversation. */
export const connectionRows: readonly ContractRow[] = rows("connections", {
	"requests of one write are answered in their order": async ({ client, root, raw }) => {
		for (let index = 0; index < 20; index++) await client.write(`${root}/${index}`, index);
		const connection = await raw();
		connection.send(Buffer.concat(Array.from({ length: 20 }, (_, index) => read(`${root}/${index}`, index + 7))));
		for (let index = 0; index < 20; index++) {
			const { type, requestId, payload } = await connection.take();
			assert.deepEqual(
				{ type, requestId, text: payload.toString() },
				{ type: 2, requestId: index + 7, text: `${index}` },
			);
		}
	},
	"a request may come in pieces": async (stage) => {
		const { client, root, raw } = stage;
		await client.write(`${root}/a`, "1");
		const connection = await raw();
		const bytes = read(`${root}/a`, 1);
		const othersGoOn = differs<boolean>(stage, {
			xenstored: false,
			oxenstored: true,
			because: "xenstored's sockets block: once it has a header it waits for the rest, and so does everybody else",
		});
		for (const [from, to] of [
			[0, 3],
			[3, 16],
			[16, 17],
			[17, bytes.length],
		] as const) {
			connection.send(bytes.subarray(from, to));
			if (othersGoOn || to < 16) await client.find("/");
			else await new Promise(setImmediate);
		}
		assert.equal((await connection.take()).payload.toString(), "1");
	},
	"a request that is none is ENOSYS": async ({ raw }) => {
		const connection = await raw();
		const types = [OPERATION.WATCH_EVENT, OPERATION.ERROR, 20, 200, 0xffff];
		for (const type of types) assert.deepEqual(await connection.ask(type, [""]), ["ENOSYS"], `type ${type}`);
	},
	"a request without its NUL is refused": async ({ raw }) => {
		// xenstored answers with the errno that its last failure left: any.
		const [answer] = await (await raw()).ask("READ", Buffer.from("/"));
		assert.match(answer ?? "", /^E[A-Z]+$/);
	},
	"an empty request is refused": async (stage) => {
		const connection = await stage.raw();
		const isAtOnce = differs<boolean>(stage, {
			xenstored: true,
			oxenstored: false,
			because: "oxenstored looks at a request once more bytes arrive than its header",
		});
		connection.send(encodeMessage({ type: OPERATION.MKDIR, requestId: 1, transactionId: 0, payload: Buffer.alloc(0) }));
		if (!isAtOnce) connection.send(read("/", 2));
		assert.match((await connection.take()).payload.toString(), /^E[A-Z]+\0$/);
	},
	"a longer message than the protocol's ends the connection, and that one alone": async (stage) => {
		const { client, root, raw } = stage;
		const connection = await raw();
		const header = Buffer.alloc(LIMITS.header);
		header.writeUInt32LE(OPERATION.READ, 0);
		header.writeUInt32LE(LIMITS.payload + 1, 12);
		connection.send(header);
		const ends = differs<boolean>(stage, {
			xenstored: true,
			oxenstored: false,
			because: "oxenstored keeps the socket of a bad client open and never reads from it again",
		});
		if (ends) await connection.ended();
		await client.write(`${root}/well`, "1");
		assert.equal(await client.readText(`${root}/well`), "1");
	},
	"the longest request is answered": async (stage) => {
		const { root, raw } = stage;
		const payload = Buffer.alloc(LIMITS.payload, 65);
		payload.write(`${root}/a\0`, "latin1");
		const answer = differs<string>(stage, {
			xenstored: "OK",
			oxenstored: "E2BIG",
			because: "the value is above oxenstored's quota, but the request was read",
		});
		assert.deepEqual(await (await raw()).ask("WRITE", payload), [answer]);
	},
	"what a connection watched and began goes with it": async ({ client, root, another }) => {
		const other = await another();
		await other.watch(root).next();
		other.close();
		await client.write(root, "1");
		assert.equal(await client.readText(root), "1");
	},
	"requests by our client beyond its bound are refused before they leave": async ({ client, root, world }) => {
		const bounded = XenstoreClient.over(await world.connect(), { backlogBytes: 64 * 1024 });
		try {
			const outcomes = await Promise.allSettled(
				Array.from({ length: 1000 }, (_, index) => bounded.write(`${root}/n`, index)),
			);
			const refused = outcomes.filter(({ status }) => status === "rejected");
			assert.ok(refused.length > 0 && refused.length < outcomes.length, `${refused.length} refused`);
			for (const outcome of refused)
				assert.equal((outcome as PromiseRejectedResult).reason.code, "xenstore-overloaded");
			assert.deepEqual(bounded.backlog, { requests: 0, bytes: 0 });
			for (let index = 0; index < 1000; index++) {
				await bounded.room();
				void bounded.write(`${root}/n`, index);
			}
			assert.equal(await bounded.readText(`${root}/n`), "999");
		} finally {
			bounded.close();
		}
		assert.equal(await client.readText(`${root}/n`), "999");
	},
	"cancelled requests leave the conversation well": async ({ client, root }) => {
		const abort = new AbortController();
		const reads = Array.from({ length: 20 }, () =>
			client.read(root, { signal: abort.signal }).then(
				() => "read",
				() => "cancelled",
			),
		);
		abort.abort();
		assert.deepEqual(new Set(await Promise.all(reads)), new Set(["cancelled"]));
		await client.write(`${root}/after`, "well");
		assert.equal(await client.readText(`${root}/after`), "well");
	},
	"newer requests are answered as the server supports them": async (stage) => {
		const { client, raw } = stage;
		const features = await client.server.features().then(
			(found) => [...found],
			(error: { code?: string }) => error.code,
		);
		const quotas = await client.server.quotaNames().catch((error: { code?: string }) => error.code);
		for (const outcome of [features, quotas]) assert.ok(Array.isArray(outcome) || outcome === "xenstore-unsupported");
		const connection = await raw();
		for (const type of [OPERATION.SET_FEATURE, OPERATION.SET_QUOTA]) {
			const [answer] = await connection.ask(type, [""]);
			assert.match(answer ?? "", features === "xenstore-unsupported" ? /^ENOSYS$/ : /^E[A-Z]+$/);
		}
		return { features, quotas };
	},
	"control commands are xenstored's own": async (stage) => {
		const answer = (await (await stage.raw()).ask("CONTROL", ["help"])).join(" ");
		const expected = differs<RegExp>(stage, {
			xenstored: /check/,
			oxenstored: /^OK$/,
			because: "the set of commands belongs to the implementation, and oxenstored says OK to those it does not know",
		});
		assert.match(answer, expected);
		return { answer: answer.slice(0, 80) };
	},
});
