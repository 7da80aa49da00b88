import assert from "node:assert/strict";
import { DOM0 } from "@bulkhead/base";
import type { XenstoreWatch } from "../client/watch.ts";
import { differs, guestRows, refusalOf, type Stage } from "./stage.ts";
import type { ContractRow } from "./world.ts";

async function take(watch: XenstoreWatch, count: number): Promise<string[]> {
	const paths: string[] = [];
	while (paths.length < count) paths.push((await watch.next()).value);
	return paths;
}

const DEFAULT_QUOTAS = { nodes: 1000, watches: 128 } as const;

/**
 * Makes a quota small meanwhile, where the server lets domain 0 do that (xenstored: CONTROL quota set), since a guest
 * under emulation is slow.
 */
async function withLowQuota<T>(
	{ world: { kind }, client }: Stage,
	name: keyof typeof DEFAULT_QUOTAS,
	wanted: number,
	act: (limit: number) => Promise<T>,
): Promise<T> {
	const standard = DEFAULT_QUOTAS[name];
	const set = (value: number): Promise<string> => client.control(["quota", "set", name, `${value}`]);
	const isSet =
		kind === "xenstored" &&
		(await set(wanted).then(
			() => true,
			() => false,
		));
	try {
		return await act(isSet ? wanted : standard);
	} finally {
		if (isSet) await set(standard);
	}
}

/** An unprivileged domain: what it may, and what others may see of it. It owns the row's directory. */
export const unprivilegedRows: readonly ContractRow[] = guestRows("guests", {
	"a relative path is one below the domain's own directory": async ({ client }, guest) => {
		const own = `/local/domain/${guest.domid}`;
		await client.put(`${own}/bulkhead`, "1", [{ domid: guest.domid, access: "none" }]);
		try {
			assert.equal(await guest.client.readText("bulkhead"), "1");
			await guest.client.write("bulkhead/below", "2");
			assert.equal(await client.readText(`${own}/bulkhead/below`), "2");
		} finally {
			await client.remove(`${own}/bulkhead`);
		}
	},
	"a node that it creates is its own": async ({ client, root }, guest) => {
		await guest.client.write(`${root}/a`, "1");
		assert.equal((await client.permissions(`${root}/a`))[0]?.domid, guest.domid);
		assert.equal(await client.readText(`${root}/a`), "1");
	},
	"what is domain 0's alone is EACCES": async ({ client, root }, guest) => {
		await client.put(`${root}/secret`, "1", [{ domid: DOM0, access: "none" }]);
		assert.equal(await refusalOf(guest.client.read(`${root}/secret`)), "EACCES");
		assert.equal(await refusalOf(guest.client.write(`${root}/secret`, "2")), "EACCES");
		assert.equal(await refusalOf(guest.client.list(`${root}/secret`)), "EACCES");
		assert.equal(await client.readText(`${root}/secret`), "1");
	},
	"what it may read it may not write, and the other way round": async ({ client, root }, { domid, client: guest }) => {
		await client.put(`${root}/r`, "1", [
			{ domid: DOM0, access: "none" },
			{ domid, access: "read" },
		]);
		await client.put(`${root}/w`, "1", [
			{ domid: DOM0, access: "none" },
			{ domid, access: "write" },
		]);
		assert.equal(await guest.readText(`${root}/r`), "1");
		assert.equal(await refusalOf(guest.write(`${root}/r`, "2")), "EACCES");
		await guest.write(`${root}/w`, "2");
		assert.equal(await refusalOf(guest.read(`${root}/w`)), "EACCES");
		assert.equal(await client.readText(`${root}/w`), "2");
	},
	"the first entry's access is everybody's who is not listed": async ({ client, root }, guest) => {
		await client.put(`${root}/open`, "1", [{ domid: DOM0, access: "read" }]);
		assert.equal(await guest.client.readText(`${root}/open`), "1");
		assert.equal(await refusalOf(guest.client.write(`${root}/open`, "2")), "EACCES");
	},
	"only the owner changes a node's list, and cannot give the node away": async (stage, { domid, client: guest }) => {
		const { client, root } = stage;
		await client.put(`${root}/foreign`, "", [
			{ domid: DOM0, access: "none" },
			{ domid, access: "both" },
		]);
		assert.equal(await refusalOf(guest.setPermissions(`${root}/foreign`, [{ domid, access: "none" }])), "EACCES");
		await guest.write(`${root}/own`, "1");
		await guest.setPermissions(`${root}/own`, [
			{ domid, access: "none" },
			{ domid: DOM0, access: "read" },
		]);
		const expected = differs<string>(stage, {
			xenstored: "EPERM",
			oxenstored: "EACCES",
			because: "oxenstored has one errno for whatever is not permitted",
		});
		assert.equal(await refusalOf(guest.setPermissions(`${root}/own`, [{ domid: DOM0, access: "none" }])), expected);
	},
	"what is not there is ENOENT or EACCES, as the nearest parent that is there lets it read": async (stage, guest) => {
		const { client, root } = stage;
		assert.equal(await refusalOf(guest.client.read(`${root}/none/below`)), "ENOENT");
		await client.put(`${root}/closed`, "", [{ domid: DOM0, access: "none" }]);
		const expected = differs<string>(stage, {
			xenstored: "EACCES",
			oxenstored: "ENOENT",
			because: "oxenstored looks for the node before it asks who may read",
		});
		assert.equal(await refusalOf(guest.client.read(`${root}/closed/none`)), expected);
	},
	"requests for domain 0 alone are EACCES": async (_stage, { domid, client: guest }) => {
		assert.equal(await refusalOf(guest.introduce(domid, 1, 1)), "EACCES");
		assert.equal(await refusalOf(guest.release(domid)), "EACCES");
		assert.equal(await refusalOf(guest.setTarget(domid, DOM0)), "EACCES");
		assert.equal(await refusalOf(guest.isIntroduced(domid)), "EACCES");
		assert.equal(await guest.domainPath(domid), `/local/domain/${domid}`);
		return { control: await refusalOf(guest.control(["help"])) };
	},
	"it is told of changes of what it may read, itself or by its parent, and of no others": async (stage, guest) => {
		const { client, root } = stage;
		await client.put(`${root}/closed`, "1", [{ domid: DOM0, access: "none" }]);
		await client.write(`${root}/closed/secret`, "1");
		await client.put(`${root}/open`, "1", [{ domid: DOM0, access: "read" }]);
		const watch = guest.client.watch(root);
		assert.deepEqual(await take(watch, 1), [root]);
		await client.write(`${root}/closed/secret`, "2");
		await client.write(`${root}/closed`, "2");
		await client.write(`${root}/open`, "2");
		await client.write(`${root}/own`, "2");
		assert.deepEqual(await take(watch, 3), [`${root}/closed`, `${root}/open`, `${root}/own`]);
		watch.close();
	},
	"domain 0 is told of its changes": async ({ client, root }, guest) => {
		const watch = client.watch(root);
		assert.deepEqual(await take(watch, 1), [root]);
		await guest.client.write(`${root}/a`, "1");
		assert.deepEqual(await take(watch, 1), [`${root}/a`]);
		watch.close();
	},
	"a watch of a special event begins with its one event, whoever may see more": async (_stage, guest) => {
		const watch = guest.client.watch("@releaseDomain");
		assert.deepEqual(await take(watch, 1), ["@releaseDomain"]);
		watch.close();
		await guest.client.find("data");
	},
	"domain 0's change disturbs its transaction": async ({ client, root }, { client: guest }) => {
		await client.write(`${root}/counter`, 1);
		let runs = 0;
		await guest.transaction(async (tx) => {
			const counter = Number(await tx.readText(`${root}/counter`));
			if (++runs === 1) await client.write(`${root}/counter`, 10);
			await tx.write(`${root}/counter`, counter + 1);
		});
		assert.equal(await client.readText(`${root}/counter`), "11");
		assert.equal(runs, 2);
	},
	"a node has a greatest size": async (stage, { client: guest }) => {
		const { client, root } = stage;
		await guest.write(`${root}/a`, Buffer.alloc(1900));
		const expected = differs<string>(stage, {
			xenstored: "ENOSPC",
			oxenstored: "E2BIG",
			because: "each names its quota of 2048 bytes in its own way",
		});
		assert.equal(await refusalOf(guest.write(`${root}/a`, Buffer.alloc(2500))), expected);
		const ofDom0 = differs<string>(stage, {
			xenstored: "no refusal",
			oxenstored: "E2BIG",
			because: "oxenstored measures domain 0's values, too",
		});
		assert.equal(await refusalOf(client.write(`${root}/a`, Buffer.alloc(2500))), ofDom0);
	},
	"it has so many nodes, and domain 0 goes on": async (stage, { client: guest }) => {
		const { client, root } = stage;
		let refusal = "no refusal";
		let made = 0;
		await withLowQuota(stage, "nodes", 60, async (limit) => {
			for (; made < 2000 && refusal === "no refusal"; made++)
				refusal = await refusalOf(guest.write(`${root}/${made}`, ""));
			assert.ok(made > 20 && made <= limit + 1, `${made} nodes`);
			await client.put(`${root}/more`, "1", [{ domid: DOM0, access: "none" }]);
		});
		const expected = differs<string>(stage, {
			xenstored: "ENOSPC",
			oxenstored: "EQUOTA",
			because: "oxenstored has an errno of its own for quotas, which xs_wire.h does not list",
		});
		assert.equal(refusal, expected);
		return { made };
	},
	"it has so many watches": async (stage, { client: guest }) => {
		const watches: XenstoreWatch[] = [];
		let refusal = "no refusal";
		await withLowQuota(stage, "watches", 20, async (limit) => {
			while (watches.length < 300 && refusal === "no refusal") {
				const watch = guest.watch(`${stage.root}/${watches.length}`);
				watches.push(watch);
				refusal = await refusalOf(watch.ready);
			}
			assert.ok(watches.length > 10 && watches.length <= limit + 2, `${watches.length} watches`);
		}).finally(() => {
			for (const watch of watches) watch.close();
		});
		const expected = differs<string>(stage, {
			xenstored: "E2BIG",
			oxenstored: "EINVAL",
			because:
				"a guest's kernel sets its watches itself, and makes EINVAL of oxenstored's EQUOTA, which it does not know",
		});
		assert.equal(refusal, expected);
		return { watches: watches.length };
	},
	"a permission list names at most so many domains": async (stage, { domid, client: guest }) => {
		await guest.write(`${stage.root}/a`, "");
		const list = Array.from({ length: 40 }, () => ({ domid, access: "read" as const }));
		const refusal = await refusalOf(guest.setPermissions(`${stage.root}/a`, list));
		const expected = differs<string>(stage, {
			xenstored: "ENOSPC",
			oxenstored: "no refusal",
			because: "oxenstored has no quota of entries, only one of bytes",
		});
		assert.equal(refusal, expected);
	},
});
