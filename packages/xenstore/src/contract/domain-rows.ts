import assert from "node:assert/strict";
import { differs, rows } from "./stage.ts";
import type { ContractRow } from "./world.ts";

const NOBODY = "30000";

/** Requests about domains, by domain 0. */
export const domainRows: readonly ContractRow[] = rows("domains", {
	"a domain's path follows from its number": async ({ raw }) => {
		assert.deepEqual(await (await raw()).ask("GET_DOMAIN_PATH", [NOBODY]), [`/local/domain/${NOBODY}`]);
	},
	"a domain that was not introduced is not": async ({ raw }) => {
		assert.deepEqual(await (await raw()).ask("IS_DOMAIN_INTRODUCED", [NOBODY]), ["F"]);
	},
	"what is not introduced has no target": async ({ raw }) => {
		assert.deepEqual(await (await raw()).ask("SET_TARGET", [NOBODY, "30001"]), ["ENOENT"]);
	},
	"what is not introduced is not released or resumed": async (stage) => {
		const connection = await stage.raw();
		const expected = differs<string>(stage, {
			xenstored: "ENOENT",
			oxenstored: "EINVAL",
			because: "oxenstored has one answer to whatever it cannot do with a number",
		});
		assert.deepEqual(await connection.ask("RELEASE", [NOBODY]), [expected]);
		assert.deepEqual(await connection.ask("RESUME", [NOBODY]), [expected]);
	},
	"a domain that does not exist is not introduced": async (stage) => {
		if (!stage.world.knowsDomains) return { left: "this server is not on Xen" };
		const [answer] = await (await stage.raw()).ask("INTRODUCE", [NOBODY, "1", "1"]);
		assert.match(answer ?? "", /^E(NOENT|INVAL)$/);
		return { answer };
	},
	"requests about domains name one": async ({ raw }) => {
		const connection = await raw();
		for (const operation of ["SET_TARGET", "INTRODUCE"] as const)
			assert.deepEqual(await connection.ask(operation, [NOBODY]), ["EINVAL"], operation);
	},
});
