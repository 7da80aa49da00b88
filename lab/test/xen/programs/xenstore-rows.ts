import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import { promisify } from "node:util";
import { DOM0, domId } from "@bulkhead/base";
import { XENBUS_DEVICE, XENSTORED_SOCKET, XenstoreClient, XenstoreError } from "@bulkhead/xenstore";
import type { Row } from "./rows.ts";

const run = promisify(execFile);
const ROOT = "/bulkhead-test";

/** Xen's own tools, which speak through libxenstore. */
async function tool(name: "read" | "write" | "list" | "rm" | "chmod" | "ls", ...args: string[]): Promise<string> {
	return (await run(`xenstore-${name}`, args)).stdout;
}

/** What it answers is printed when it is an object. */
type Body = (client: XenstoreClient, root: string) => Promise<unknown>;

/** Beside Xen's own tools, the same rows on both ways to xenstored. */
const TOOL_BODIES: Record<string, Body> = {
	"what we write, Xen's tools read, and the other way round": async (client, root) => {
		await client.write(`${root}/ours`, "grüße 1");
		await tool("write", `${root}/theirs`, "abc");
		assert.equal((await tool("read", "-R", `${root}/ours`)).trimEnd(), "grüße 1");
		assert.equal(await client.readText(`${root}/theirs`), "abc");
		assert.deepEqual((await tool("list", root)).trim().split("\n").sort(), ["ours", "theirs"]);
		assert.deepEqual((await client.list(root)).sort(), ["ours", "theirs"]);
		await client.remove(`${root}/theirs`);
		await assert.rejects(tool("read", `${root}/theirs`));
		assert.equal(await client.find(`${root}/theirs`), undefined);
		assert.equal(await client.findList(`${root}/theirs`), undefined);
		await client.remove(`${root}/none/below`);
	},
	"permissions are those that Xen's tools show and set": async (client, root) => {
		await client.put(`${root}/node`, "", [
			{ domid: DOM0, access: "none" },
			{ domid: domId(30_000), access: "read" },
			{ domid: domId(30_001), access: "both" },
		]);
		const shown = await tool("ls", "-p", root);
		assert.match(shown, /node = ""[ .]+\(n0,r30000,b30001\)/);
		await tool("chmod", `${root}/node`, "n0", "w9");
		assert.deepEqual(await client.permissions(`${root}/node`), [
			{ domid: 0, access: "none" },
			{ domid: 9, access: "write" },
		]);
	},
	"a directory above one message is listed whole": async (client, root) => {
		const names = Array.from({ length: 110 }, (_, index) => `a-rather-long-name-of-a-node-in-a-directory-${index}`);
		await client.batch((batch) => {
			for (const name of names) batch.write(`${root}/${name}`, "");
		});
		const ours = (await client.list(root)).sort();
		assert.deepEqual(ours, [...names].sort());
		assert.deepEqual((await tool("list", root)).trim().split("\n").sort(), ours);
	},
	"a transaction that another client disturbs is repeated": async (client, root) => {
		await client.write(`${root}/counter`, 1);
		let runs = 0;
		await client.transaction(async (tx) => {
			const counter = Number(await tx.readText(`${root}/counter`));
			if (++runs === 1) await tool("write", `${root}/counter`, "10");
			await tx.write(`${root}/counter`, counter + 1);
		});
		assert.equal(await tool("read", `${root}/counter`), "11\n");
		return { runs };
	},
	"a watch begins with its path and then sees what others do": async (client, root) => {
		const watch = client.watch(root);
		assert.equal((await watch.next()).value, root);
		await tool("write", `${root}/below`, "1");
		assert.equal((await watch.next()).value, `${root}/below`);
		await tool("rm", `${root}/below`);
		assert.equal((await watch.next()).value, `${root}/below`);
		watch.close();
		await client.find(root);
		const before = client.stats.watchEvents;
		await tool("write", `${root}/below`, "2");
		await client.find(root);
		assert.equal(client.stats.watchEvents, before);
	},
	"waiting for a value ends when another process writes it": async (client, root) => {
		const waited = client.waitFor(`${root}/state`, (state) => state === "4", { timeoutMs: 20_000 });
		for (const state of ["1", "2", "4"]) await tool("write", `${root}/state`, state);
		assert.equal(await waited, "4");
		await assert.rejects(
			client.waitFor(`${root}/state`, (state) => state === "5", { timeoutMs: 50, what: "state 5" }),
			/state 5/,
		);
	},
	"domain 0 is known, domain 30000 is not": async (client) => {
		assert.equal(await client.isIntroduced(DOM0), true);
		assert.equal(await client.isIntroduced(domId(30_000)), false);
		assert.equal(await client.domainPath(domId(30_000)), "/local/domain/30000");
		assert.equal(await client.readText("/local/domain/0/name"), "Domain-0");
	},
	"relative paths are those of domain 0": async (client) => {
		assert.equal(await client.readText("name"), "Domain-0");
	},
	"requests that overlap are as good as one after the other": async (client, root) => {
		const count = 60;
		const sequential = await timed(async () => {
			for (let index = 0; index < count; index++) await client.write(`${root}/n`, index);
		});
		const pipelined = await timed(async () => {
			await Promise.all(Array.from({ length: count }, (_, index) => client.write(`${root}/n`, index)));
		});
		assert.equal(await client.readText(`${root}/n`), `${count - 1}`);
		const transaction = await timed(() =>
			client.transaction(async (tx) => {
				for (let index = 0; index < 60; index++) void tx.write(`${root}/t/${index}`, index);
			}),
		);
		const batch = await timed(() =>
			client.batch((changes) => {
				for (let index = 0; index < 60; index++) changes.write(`${root}/b/${index}`, index);
			}),
		);
		return {
			sequentialMsEach: sequential / count,
			pipelinedMsEach: pipelined / count,
			transactionOf60Ms: transaction,
			batchOf60Ms: batch,
		};
	},
};

/** What the contract shows on sockets: here the kernel is in between, and takes one request at a time. */
const DEVICE_BODIES: Record<string, Body> = {
	"bytes of all values come back as they were": async (client, root) => {
		const bytes = Uint8Array.from({ length: 256 }, (_, value) => value);
		await client.write(`${root}/bytes`, bytes);
		assert.deepEqual(Uint8Array.from(await client.read(`${root}/bytes`)), bytes);
	},
	"a domain that does not exist cannot own a node": async (client, root) => {
		await client.write(`${root}/node`, "");
		const given = client.setPermissions(`${root}/node`, [{ domid: domId(30_000), access: "none" }]);
		await assert.rejects(given, { code: "xenstore-refused", errno: "ENOENT" });
	},
	"the longest value fits, and one byte more never leaves us": async (client, root) => {
		const path = `${root}/long`;
		const longest = 4080 - path.length - 1;
		await client.write(path, Buffer.alloc(longest, 65));
		assert.equal((await client.read(path)).length, longest);
		await assert.rejects(client.write(path, Buffer.alloc(longest + 1)), { code: "invalid-input" });
		assert.equal((await client.read(path)).length, longest);
	},
	"a transaction with a refused change takes nothing": async (client, root) => {
		const failed = client.transaction(async (tx) => {
			void tx.write(`${root}/a`, "1");
			void tx.setPermissions(`${root}/none`, [{ domid: DOM0, access: "none" }]);
		});
		await assert.rejects(failed, { code: "xenstore-refused", errno: "ENOENT", operation: "SET_PERMS" });
		assert.equal(await client.find(`${root}/a`), undefined);
	},
	"a batch with a refused change takes the rest and says so": async (client, root) => {
		const failed = client.batch((batch) => {
			batch.write(`${root}/a`, "1");
			batch.setPermissions(`${root}/none`, [{ domid: DOM0, access: "none" }]);
		});
		const error = await failed.catch((caught: unknown) => caught);
		assert.ok(error instanceof XenstoreError);
		assert.equal(error.fields.committed, true);
		assert.equal(await client.find(`${root}/a`), "1");
	},
	"concurrent transactions on one node all succeed": async (client, root) => {
		await client.write(`${root}/counter`, 0);
		const increment = (): Promise<void> =>
			client.transaction(async (tx) => tx.write(`${root}/counter`, Number(await tx.readText(`${root}/counter`)) + 1));
		await Promise.all(Array.from({ length: 8 }, increment));
		assert.equal(await client.readText(`${root}/counter`), "8");
		return { conflicts: client.stats.conflicts };
	},
	"the special watches fire at once": async (client) => {
		for (const name of ["@introduceDomain", "@releaseDomain"]) {
			const watch = client.watch(name);
			assert.equal((await watch.next()).value, name);
			watch.close();
		}
	},
	"cancelled requests leave the conversation well": async (client, root) => {
		const abort = new AbortController();
		const reads = Array.from({ length: 20 }, () =>
			client.read("/local/domain/0/name", { signal: abort.signal }).then(
				() => "read",
				() => "cancelled",
			),
		);
		abort.abort();
		assert.deepEqual(new Set(await Promise.all(reads)), new Set(["cancelled"]));
		await client.write(`${root}/after`, "well");
		assert.equal(await client.readText(`${root}/after`), "well");
	},
};

const WAYS = { socket: XENSTORED_SOCKET, device: XENBUS_DEVICE } as const;

/** Our client and the host's xenstored, with Xen's own programs on the other side. */
export function xenstoreRows(): Row[] {
	const rows = Object.entries(WAYS).flatMap(([way, path]) =>
		Object.entries({ ...TOOL_BODIES, ...(way === "device" ? DEVICE_BODIES : {}) }).map(([name, body], index) => ({
			name: `${way}: ${name}`,
			run: () => withClient(path, `${ROOT}/${way}-${index}`, body),
		})),
	);
	return [...rows, { name: "device: closing gives everything back, also while it is read", run: closeDevice }];
}

async function withClient(path: string, root: string, body: Body): Promise<Record<string, unknown> | undefined> {
	const client = await XenstoreClient.connect({ path, requestTimeoutMs: 20_000 });
	try {
		const figures = await body(client, root);
		return typeof figures === "object" ? { ...figures } : undefined;
	} finally {
		await client.remove(root);
		if ((await client.findList(ROOT))?.length === 0) await client.remove(ROOT);
		client.close();
	}
}

async function closeDevice(): Promise<undefined> {
	const client = await XenstoreClient.connect({ path: XENBUS_DEVICE });
	assert.equal(countOpen(XENBUS_DEVICE), 1);
	const pending = client.watch("/bulkhead-never").next();
	await client.readText("/local/domain/0/name");
	const closed = new Promise<unknown>((resolve) => client.onClose(resolve));
	await pending;
	client.close();
	await closed;
	const deadline = performance.now() + 5000;
	while (countOpen(XENBUS_DEVICE) > 0 || (await readers()) > 0) {
		assert.ok(performance.now() < deadline, "the device is still open");
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	return undefined;
}

function countOpen(path: string): number {
	return readdirSync("/proc/self/fd").filter((fd) => {
		try {
			return readlinkSync(`/proc/self/fd/${fd}`) === path;
		} catch {
			return false;
		}
	}).length;
}

/** Child processes of ours that still live. */
async function readers(): Promise<number> {
	const found = await run("pgrep", ["-P", `${process.pid}`, "-x", "cat"]).catch(() => ({ stdout: "" }));
	return found.stdout.split("\n").filter(Boolean).length;
}

async function timed(act: () => Promise<unknown>): Promise<number> {
	const started = performance.now();
	await act();
	return Math.round((performance.now() - started) * 100) / 100;
}
