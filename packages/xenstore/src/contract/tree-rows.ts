import assert from "node:assert/strict";
import { LIMITS } from "../wire/limits.ts";
import { encodeMessage } from "../wire/message.ts";
import { OPERATION } from "../wire/operations.ts";
import { decodeDirectoryPart, encodeStrings } from "../wire/payload.ts";
import { differs, refusalOf, rows } from "./stage.ts";
import type { ContractRow } from "./world.ts";

/** More names than one message holds. */
const MANY_NAMES = Array.from({ length: 300 }, (_, index) => `a-rather-long-name-of-a-node-${index}`);

/** Nodes, values and directories. */
export const treeRows: readonly ContractRow[] = rows("tree", {
	"a written value is read by another client": async ({ client, root, another }) => {
		await client.write(`${root}/node`, "grüße 1");
		assert.equal(await (await another()).readText(`${root}/node`), "grüße 1");
	},
	"bytes of all values come back as they were": async ({ client, root }) => {
		const bytes = Uint8Array.from({ length: 256 }, (_, value) => value);
		await client.write(`${root}/bytes`, bytes);
		assert.deepEqual(Uint8Array.from(await client.read(`${root}/bytes`)), bytes);
	},
	"an empty value is a value": async ({ client, root }) => {
		await client.write(`${root}/empty`, "");
		assert.equal(await client.readText(`${root}/empty`), "");
	},
	"a write makes the parents that are missing, with empty values": async ({ client, root }) => {
		await client.write(`${root}/a/b/c`, "1");
		assert.equal(await client.readText(`${root}/a/b`), "");
		assert.deepEqual(await client.list(root), ["a"]);
		assert.deepEqual(await client.list(`${root}/a`), ["b"]);
	},
	"a node has a value and children at once": async ({ client, root }) => {
		await client.write(`${root}/a/b`, "below");
		await client.write(`${root}/a`, "here");
		assert.equal(await client.readText(`${root}/a`), "here");
		assert.equal(await client.readText(`${root}/a/b`), "below");
	},
	"mkdir makes an empty node and leaves an existing one as it is": async ({ client, root }) => {
		await client.mkdir(`${root}/a/b`);
		assert.equal(await client.readText(`${root}/a/b`), "");
		await client.write(`${root}/a/b`, "1");
		await client.mkdir(`${root}/a/b`);
		assert.equal(await client.readText(`${root}/a/b`), "1");
	},
	"remove takes everything below": async ({ client, root }) => {
		await client.write(`${root}/a/b/c`, "1");
		await client.remove(`${root}/a`);
		assert.equal(await client.find(`${root}/a/b/c`), undefined);
		assert.deepEqual(await client.list(root), []);
	},
	"removing what is not there is no error while its parent is": async ({ root, raw }) => {
		const connection = await raw();
		assert.deepEqual(await connection.ask("RM", [`${root}/none`]), ["OK"]);
		assert.deepEqual(await connection.ask("RM", [`${root}/none/below`]), ["ENOENT"]);
	},
	"the root is not removed": async (stage) => {
		const mayAsk = differs<boolean>(stage, {
			xenstored: true,
			oxenstored: false,
			because: "oxenstored answers OK and everything is gone, the special events' nodes included",
		});
		if (mayAsk) assert.deepEqual(await (await stage.raw()).ask("RM", ["/"]), ["EINVAL"]);
	},
	"what is not there is ENOENT to all that look": async ({ root, raw }) => {
		const connection = await raw();
		for (const operation of ["READ", "DIRECTORY", "GET_PERMS"] as const)
			assert.deepEqual(await connection.ask(operation, [`${root}/none`]), ["ENOENT"], operation);
		assert.deepEqual(await connection.ask("SET_PERMS", [`${root}/none`, "n0"]), ["ENOENT"]);
	},
	"a directory lists names, each once": async ({ client, root }) => {
		for (const name of ["b", "a", "c", "a"]) await client.write(`${root}/${name}`, "1");
		assert.deepEqual((await client.list(root)).sort(), ["a", "b", "c"]);
		assert.deepEqual(await client.list(`${root}/a`), []);
	},
	"a directory above one message is listed whole": async (stage) => {
		const { client, root, raw } = stage;
		await client.batch((batch) => {
			for (const name of MANY_NAMES) batch.write(`${root}/${name}`, "");
		});
		assert.deepEqual((await client.list(root)).sort(), [...MANY_NAMES].sort());
		const connection = await raw({ payloadBytes: 64 * 1024 });
		const answer = await connection.ask("DIRECTORY", [root]);
		const expected = differs<number>(stage, {
			xenstored: 1,
			oxenstored: MANY_NAMES.length,
			because: "xenstored answers E2BIG and expects DIRECTORY_PART; oxenstored sends more than the protocol allows",
		});
		assert.equal(answer.length, expected);
	},
	"parts of a directory carry its generation, which changes with it": async (stage) => {
		const { client, root, raw } = stage;
		await client.write(`${root}/a`, "");
		const connection = await raw();
		const part = async (offset: number): Promise<{ generation: string; names: string }> => {
			const payload = encodeStrings(root, offset);
			connection.send(encodeMessage({ type: OPERATION.DIRECTORY_PART, requestId: 1, transactionId: 0, payload }));
			const reply = await connection.take();
			if (reply.type === OPERATION.ERROR) return { generation: "", names: reply.payload.toString("latin1") };
			const { generation, names } = decodeDirectoryPart(reply.payload);
			return { generation, names: names.toString("latin1") };
		};
		const first = await part(0);
		const whole = differs<string>(stage, {
			xenstored: "a\0\0",
			oxenstored: "ENOSYS\0",
			because: "oxenstored knows no DIRECTORY_PART",
		});
		assert.equal(first.names, whole);
		if (stage.world.kind === "oxenstored") return;
		assert.equal((await part(2)).names, "\0");
		await client.write(`${root}/b`, "");
		assert.notEqual((await part(0)).generation, first.generation);
	},
	"a value is as long as a message can be, for domain 0": async (stage) => {
		const { client, root } = stage;
		const path = `${root}/long`;
		const longest = Buffer.alloc(LIMITS.payload - path.length - 1, 65);
		const answer = differs<string>(stage, {
			xenstored: "no refusal",
			oxenstored: "E2BIG",
			because: "oxenstored's quota-maxsize, 2048 bytes unless configured, holds for domain 0 as well",
		});
		assert.equal(await refusalOf(client.write(path, longest)), answer);
		if (answer === "no refusal") assert.deepEqual(await client.read(path), longest);
		await client.write(path, Buffer.alloc(1024, 66));
		assert.deepEqual(await client.read(path), Buffer.alloc(1024, 66));
	},
});
