import assert from "node:assert/strict";
import { DOM0 } from "@bulkhead/base";
import { OPERATION } from "../wire/operations.ts";
import type { RawConnection } from "./raw-connection.ts";
import { differs, rows } from "./stage.ts";
import type { ContractRow } from "./world.ts";

/** Events that have come by now: a request of the same connection is answered behind them. */
async function eventsOf(connection: RawConnection): Promise<string[]> {
	await connection.ask("READ", ["/"]);
	return connection.takeEvents();
}

async function watching(connection: RawConnection, path: string): Promise<void> {
	assert.deepEqual(await connection.ask("WATCH", [path, "t"]), ["OK"]);
	assert.deepEqual(await eventsOf(connection), [`${path} t`]);
}

/** Who is told of changes, of which, and how. */
export const watchRows: readonly ContractRow[] = rows("watches", {
	"the reply comes first, then one event for the path, there or not": async ({ root, raw }) => {
		const connection = await raw();
		assert.deepEqual(await connection.ask("WATCH", [`${root}/none`, "t"]), ["OK"]);
		const { type } = await connection.take();
		assert.equal(type, OPERATION.WATCH_EVENT);
		assert.deepEqual(await eventsOf(connection), []);
	},
	"changes at and below the path are told, others are not": async ({ client, root, raw }) => {
		const connection = await raw();
		await watching(connection, `${root}/a`);
		await client.write(`${root}/a`, "1");
		await client.write(`${root}/a/b`, "1");
		await client.write(`${root}/a/b`, "2");
		await client.write(`${root}/ab`, "1");
		await client.write(root, "1");
		assert.deepEqual(await eventsOf(connection), [`${root}/a t`, `${root}/a/b t`, `${root}/a/b t`]);
	},
	"a write that changes nothing is told as well": async ({ client, root, raw }) => {
		await client.write(`${root}/a`, "1");
		const connection = await raw();
		await watching(connection, `${root}/a`);
		await client.write(`${root}/a`, "1");
		assert.deepEqual(await eventsOf(connection), [`${root}/a t`]);
	},
	"new permissions are told": async ({ client, root, raw }) => {
		await client.write(`${root}/a`, "1");
		const connection = await raw();
		await watching(connection, root);
		await client.setPermissions(`${root}/a`, [{ domid: DOM0, access: "read" }]);
		assert.deepEqual(await eventsOf(connection), [`${root}/a t`]);
	},
	"mkdir of what is there is not told": async ({ client, root, raw }) => {
		await client.write(`${root}/a`, "1");
		const connection = await raw();
		await watching(connection, root);
		await client.mkdir(`${root}/a`);
		assert.deepEqual(await eventsOf(connection), []);
	},
	"a removal is told once to who watches above": async ({ client, root, raw }) => {
		await client.write(`${root}/a/b`, "1");
		const connection = await raw();
		await watching(connection, root);
		await client.remove(`${root}/a`);
		assert.deepEqual(await eventsOf(connection), [`${root}/a t`]);
	},
	"a removal above is told as the watched path": async ({ client, root, raw }) => {
		await client.write(`${root}/a/b/c`, "1");
		const connection = await raw();
		await watching(connection, `${root}/a/b`);
		await client.remove(`${root}/a`);
		assert.deepEqual(await eventsOf(connection), [`${root}/a/b t`]);
	},
	"parents made on the way are not told apart": async ({ client, root, raw }) => {
		const connection = await raw();
		await watching(connection, root);
		await client.write(`${root}/x/y/z`, "1");
		assert.deepEqual(await eventsOf(connection), [`${root}/x/y/z t`]);
	},
	"changes in a transaction are told with its end, and only then": async ({ root, raw, client }) => {
		const connection = await raw();
		await watching(connection, root);
		await client.transaction(async (tx) => {
			await tx.write(`${root}/a`, "1");
			await tx.write(`${root}/b`, "1");
			assert.deepEqual(await eventsOf(connection), []);
		});
		assert.deepEqual((await eventsOf(connection)).sort(), [`${root}/a t`, `${root}/b t`]);
	},
	"changes in a transaction given up are never told": async ({ root, raw, client }) => {
		const connection = await raw();
		await watching(connection, root);
		const given = client.transaction(async (tx) => {
			await tx.write(`${root}/a`, "1");
			throw new RangeError("given up");
		});
		await assert.rejects(given, RangeError);
		await client.find("/");
		assert.deepEqual(await eventsOf(connection), []);
	},
	"the same path with another token is another watch": async ({ client, root, raw }) => {
		const connection = await raw();
		await watching(connection, root);
		assert.deepEqual(await connection.ask("WATCH", [root, "u"]), ["OK"]);
		assert.deepEqual(await eventsOf(connection), [`${root} u`]);
		await client.write(root, "1");
		assert.deepEqual((await eventsOf(connection)).sort(), [`${root} t`, `${root} u`]);
	},
	"the same path and token is refused": async ({ root, raw }) => {
		const connection = await raw();
		await watching(connection, root);
		assert.deepEqual(await connection.ask("WATCH", [root, "t"]), ["EEXIST"]);
	},
	"who does not watch any more is told no more": async ({ client, root, raw }) => {
		const connection = await raw();
		await watching(connection, root);
		assert.deepEqual(await connection.ask("UNWATCH", [root, "t"]), ["OK"]);
		await client.write(root, "1");
		assert.deepEqual(await eventsOf(connection), []);
		assert.deepEqual(await connection.ask("UNWATCH", [root, "t"]), ["ENOENT"]);
	},
	"a reset ends all watches of the connection, and its transactions": async (stage) => {
		const { client, root, raw } = stage;
		const connection = await raw();
		await watching(connection, root);
		const [id] = await connection.ask("TRANSACTION_START", [""]);
		assert.deepEqual(await connection.ask("RESET_WATCHES", [""]), ["OK"]);
		await client.write(root, "1");
		assert.deepEqual(await eventsOf(connection), []);
		const unknown = differs<string>(stage, {
			xenstored: "ENOENT",
			oxenstored: "EIO",
			because: "oxenstored looks for the transaction before it is ready to name what went wrong",
		});
		assert.deepEqual(await connection.ask("TRANSACTION_END", ["T"], Number(id)), [unknown]);
	},
	"a relative watch is told relative paths": async ({ client, raw }) => {
		const connection = await raw();
		await watching(connection, "bulkhead-relative");
		await client.write("/local/domain/0/bulkhead-relative/a", "1");
		await client.remove("/local/domain/0/bulkhead-relative");
		assert.deepEqual(await eventsOf(connection), ["bulkhead-relative/a t", "bulkhead-relative t"]);
	},
	"special events can be watched, and fire once at once": async ({ client }) => {
		for (const name of ["@introduceDomain", "@releaseDomain"]) {
			const watch = client.watch(name);
			assert.equal((await watch.next()).value, name);
			watch.close();
		}
	},
	"our client's watch begins with its path, once, and misses nothing after": async ({ client, root, another }) => {
		const other = await another();
		const watch = client.watch(root);
		const writes = Array.from({ length: 50 }, (_, index) => other.write(`${root}/${index}`, index));
		const seen: string[] = [];
		await Promise.all(writes);
		for await (const path of watch) {
			seen.push(path);
			if (path === `${root}/49`) break;
		}
		assert.equal(seen[0], root);
		assert.equal(seen.filter((path) => path === root).length, 1);
		assert.equal(new Set(seen).size, seen.length);
		for (const path of seen.slice(1)) assert.match(path, /\/\d+$/);
	},
	"a depth is given only to a server that knows it": async ({ client, root, raw }) => {
		const features = await client.server.features().catch((error: { code?: string }) => error.code);
		const watch = client.watch(root, { depth: 0 });
		if (features instanceof Set && features.has("watchDepth")) {
			assert.equal((await watch.next()).value, root);
			await client.write(`${root}/below`, "");
			await client.write(root, "");
			assert.equal((await watch.next()).value, root);
			watch.close();
			return;
		}
		await assert.rejects(watch.ready, { code: "xenstore-unsupported" });
		// Whoever asks by hand, unlike us, is answered too.
		const [answer] = await (await raw()).ask("WATCH", [root, "t", "0"]);
		return { features: features instanceof Set ? [...features] : features, answer };
	},
	"waiting for a value ends when another client writes it": async ({ client, root, another }) => {
		const other = await another();
		const waited = client.waitFor(`${root}/state`, (state) => state === "4", { timeoutMs: 20_000 });
		for (const state of ["1", "2", "4"]) await other.write(`${root}/state`, state);
		assert.equal(await waited, "4");
	},
});
