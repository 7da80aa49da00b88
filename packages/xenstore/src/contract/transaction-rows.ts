import assert from "node:assert/strict";
import { DOM0 } from "@bulkhead/base";
import type { RawConnection } from "./raw-connection.ts";
import { differs, rows } from "./stage.ts";
import type { ContractRow } from "./world.ts";

async function begin(connection: RawConnection): Promise<number> {
	const [id] = await connection.ask("TRANSACTION_START", [""]);
	assert.match(id ?? "", /^[1-9]\d*$/);
	return Number(id);
}

/** One view of the tree, taken whole or not at all. */
export const transactionRows: readonly ContractRow[] = rows("transactions", {
	"changes are seen inside at once, and outside with the end": async ({ client, root, another }) => {
		const other = await another();
		await client.transaction(async (tx) => {
			await tx.write(`${root}/a`, "1");
			assert.equal(await tx.readText(`${root}/a`), "1");
			assert.equal(await other.find(`${root}/a`), undefined);
		});
		assert.equal(await other.readText(`${root}/a`), "1");
	},
	"a transaction given up leaves nothing": async ({ root, raw, client }) => {
		const connection = await raw();
		const id = await begin(connection);
		assert.deepEqual(await connection.ask("WRITE", Buffer.from(`${root}/a\0x`), id), ["OK"]);
		assert.deepEqual(await connection.ask("TRANSACTION_END", ["F"], id), ["OK"]);
		assert.equal(await client.find(`${root}/a`), undefined);
	},
	"one that ends with its connection leaves nothing": async ({ root, raw, client }) => {
		const connection = await raw();
		const id = await begin(connection);
		assert.deepEqual(await connection.ask("WRITE", Buffer.from(`${root}/a\0x`), id), ["OK"]);
		connection.close();
		assert.equal(await client.find(`${root}/a`), undefined);
	},
	"a node that was read and then changed by another makes it EAGAIN": async ({ root, raw, client }) => {
		await client.write(`${root}/a`, "1");
		const connection = await raw();
		const id = await begin(connection);
		assert.deepEqual(await connection.ask("READ", [`${root}/a`], id), ["1"]);
		await client.write(`${root}/a`, "2");
		assert.deepEqual(await connection.ask("WRITE", Buffer.from(`${root}/b\0x`), id), ["OK"]);
		assert.deepEqual(await connection.ask("TRANSACTION_END", ["T"], id), ["EAGAIN"]);
		assert.equal(await client.find(`${root}/b`), undefined);
	},
	"one that only read ends well or not when what it read has changed": async (stage) => {
		const { root, raw, client } = stage;
		await client.write(`${root}/a`, "1");
		const connection = await raw();
		const id = await begin(connection);
		assert.deepEqual(await connection.ask("READ", [`${root}/a`], id), ["1"]);
		await client.write(`${root}/a`, "2");
		const expected = differs<string>(stage, {
			xenstored: "EAGAIN",
			oxenstored: "OK",
			because: "oxenstored reads from a snapshot, which was true when it was taken, and has nothing to commit",
		});
		assert.deepEqual(await connection.ask("TRANSACTION_END", ["T"], id), [expected]);
	},
	"the view stays as it was when another changes a node that was read": async ({ root, raw, client }) => {
		await client.write(`${root}/a`, "1");
		const connection = await raw();
		const id = await begin(connection);
		assert.deepEqual(await connection.ask("READ", [`${root}/a`], id), ["1"]);
		await client.write(`${root}/a`, "2");
		assert.deepEqual(await connection.ask("READ", [`${root}/a`], id), ["1"]);
		assert.deepEqual(await connection.ask("TRANSACTION_END", ["F"], id), ["OK"]);
	},
	"changes of other nodes do not disturb": async ({ root, raw, client }) => {
		await client.write(`${root}/mine`, "1");
		await client.write(`${root}/theirs`, "1");
		const connection = await raw();
		const id = await begin(connection);
		assert.deepEqual(await connection.ask("WRITE", Buffer.from(`${root}/mine\x002`), id), ["OK"]);
		await client.write(`${root}/theirs`, "2");
		assert.deepEqual(await connection.ask("TRANSACTION_END", ["T"], id), ["OK"]);
		assert.equal(await client.readText(`${root}/mine`), "2");
		assert.equal(await client.readText(`${root}/theirs`), "2");
	},
	"two that create in one directory": async (stage) => {
		const { root, raw } = stage;
		const [first, second] = [await raw(), await raw()];
		const ids = [await begin(first), await begin(second)] as const;
		assert.deepEqual(await first.ask("WRITE", Buffer.from(`${root}/a\0x`), ids[0]), ["OK"]);
		assert.deepEqual(await second.ask("WRITE", Buffer.from(`${root}/b\0x`), ids[1]), ["OK"]);
		assert.deepEqual(await first.ask("TRANSACTION_END", ["T"], ids[0]), ["OK"]);
		const expected = differs<string>(stage, {
			xenstored: "EAGAIN",
			oxenstored: "OK",
			because: "xenstored keeps a directory's names in its node; oxenstored plays the requests again on the newer tree",
		});
		assert.deepEqual(await second.ask("TRANSACTION_END", ["T"], ids[1]), [expected]);
	},
	"an id is worth nothing after its end, or to another connection": async (stage) => {
		const { root, raw } = stage;
		const [connection, other] = [await raw(), await raw()];
		const unknown = differs<string>(stage, {
			xenstored: "ENOENT",
			oxenstored: "EIO",
			because: "oxenstored looks for the transaction before it is ready to name what went wrong",
		});
		const id = await begin(connection);
		assert.deepEqual(await other.ask("READ", [root], id), [unknown]);
		assert.deepEqual(await connection.ask("TRANSACTION_END", ["T"], id), ["OK"]);
		assert.deepEqual(await connection.ask("READ", [root], id), [unknown]);
		assert.deepEqual(await connection.ask("TRANSACTION_END", ["T"], id), [unknown]);
	},
	"one does not begin inside another": async ({ raw }) => {
		const connection = await raw();
		const id = await begin(connection);
		assert.deepEqual(await connection.ask("TRANSACTION_START", [""], id), ["EBUSY"]);
		assert.deepEqual(await connection.ask("TRANSACTION_END", ["F"], id), ["OK"]);
	},
	"a verdict is T or F": async ({ raw }) => {
		const connection = await raw();
		const id = await begin(connection);
		assert.deepEqual(await connection.ask("TRANSACTION_END", ["X"], id), ["EINVAL"]);
	},
	"several of one connection go on beside each other": async ({ root, raw, client }) => {
		const connection = await raw();
		const [a, b] = [await begin(connection), await begin(connection)];
		assert.notEqual(a, b);
		await client.write(`${root}/1`, "");
		await client.write(`${root}/2`, "");
		assert.deepEqual(await connection.ask("WRITE", Buffer.from(`${root}/1\0a`), a), ["OK"]);
		assert.deepEqual(await connection.ask("WRITE", Buffer.from(`${root}/2\0b`), b), ["OK"]);
		assert.deepEqual(await connection.ask("TRANSACTION_END", ["T"], b), ["OK"]);
		assert.deepEqual(await connection.ask("TRANSACTION_END", ["T"], a), ["OK"]);
		assert.deepEqual([await client.readText(`${root}/1`), await client.readText(`${root}/2`)], ["a", "b"]);
	},
	"concurrent increments by our client all count": async ({ client, root, another }) => {
		await client.write(`${root}/counter`, 0);
		const clients = [client, await another(), await another()];
		const increment = (index: number): Promise<void> =>
			(clients[index % clients.length] ?? client).transaction(async (tx) =>
				tx.write(`${root}/counter`, Number(await tx.readText(`${root}/counter`)) + 1),
			);
		await Promise.all(Array.from({ length: 12 }, (_, index) => increment(index)));
		assert.equal(await client.readText(`${root}/counter`), "12");
		return { conflicts: clients.reduce((sum, { stats }) => sum + stats.conflicts, 0) };
	},
	"a refused change fails the whole": async ({ client, root }) => {
		const failed = client.transaction(async (tx) => {
			void tx.write(`${root}/a`, "1");
			void tx.setPermissions(`${root}/none`, [{ domid: DOM0, access: "none" }]);
		});
		await assert.rejects(failed, { code: "xenstore-refused", errno: "ENOENT", operation: "SET_PERMS" });
		assert.equal(await client.find(`${root}/a`), undefined);
	},
});
