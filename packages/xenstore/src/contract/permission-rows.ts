import assert from "node:assert/strict";
import { DOM0, domId } from "@bulkhead/base";
import { differs, refusalOf, rows } from "./stage.ts";
import type { ContractRow } from "./world.ts";

/** Access lists, as domain 0 sees them. What they do is for the rows with a guest. */
export const permissionRows: readonly ContractRow[] = rows("permissions", {
	"a list is kept as it was given": async ({ client, root }) => {
		const list = [
			{ domid: DOM0, access: "read" },
			{ domid: DOM0, access: "write" },
			{ domid: DOM0, access: "both" },
		] as const;
		await client.put(`${root}/node`, "", list);
		assert.deepEqual(await client.permissions(`${root}/node`), list);
	},
	"a list may name domains that do not exist, after the owner": async (stage) => {
		const { client, root } = stage;
		const list = [
			{ domid: DOM0, access: "none" },
			{ domid: domId(30_000), access: "read" },
		] as const;
		await client.put(`${root}/node`, "", list);
		assert.deepEqual(await client.permissions(`${root}/node`), list);
	},
	"a domain that does not exist owns nothing": async (stage) => {
		const { client, root, world } = stage;
		await client.write(`${root}/node`, "");
		const given = client.setPermissions(`${root}/node`, [{ domid: domId(30_000), access: "none" }]);
		const expected = differs<string>(stage, {
			xenstored: world.knowsDomains ? "ENOENT" : "no refusal",
			oxenstored: "no refusal",
			because: "xenstored counts nodes by owner and asks Xen whether it exists; oxenstored takes any number",
		});
		assert.equal(await refusalOf(given), expected);
	},
	"a new node has its parent's list": async ({ client, root }) => {
		const list = [
			{ domid: DOM0, access: "none" },
			{ domid: domId(30_000), access: "both" },
		] as const;
		await client.setPermissions(root, list);
		await client.write(`${root}/a/b`, "1");
		assert.deepEqual(await client.permissions(`${root}/a`), list);
		assert.deepEqual(await client.permissions(`${root}/a/b`), list);
	},
	"a write leaves the list as it is": async ({ client, root }) => {
		const list = [
			{ domid: DOM0, access: "none" },
			{ domid: domId(30_000), access: "read" },
		] as const;
		await client.put(`${root}/node`, "1", list);
		await client.write(`${root}/node`, "2");
		assert.deepEqual(await client.permissions(`${root}/node`), list);
	},
	"what is no list is refused": async ({ root, raw }) => {
		const connection = await raw();
		assert.deepEqual(await connection.ask("SET_PERMS", [root, "x0"]), ["EINVAL"]);
		assert.deepEqual(await connection.ask("SET_PERMS", [root]), ["EINVAL"]);
	},
	"the special events have a list too, which can be set": async (stage) => {
		const connection = await stage.raw();
		const expected = differs<string>(stage, {
			xenstored: "EINVAL",
			oxenstored: "n0",
			because: "xenstored takes the list but does not show it; to oxenstored the events are nodes like others",
		});
		for (const name of ["@introduceDomain", "@releaseDomain"]) {
			assert.deepEqual(await connection.ask("SET_PERMS", [name, "n0"]), ["OK"]);
			assert.deepEqual(await connection.ask("GET_PERMS", [name]), [expected], name);
		}
	},
});
