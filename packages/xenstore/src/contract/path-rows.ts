import assert from "node:assert/strict";
import { LIMITS } from "../wire/limits.ts";
import { rows } from "./stage.ts";
import type { ContractRow } from "./world.ts";

const WRONG = {
	"other characters": "/bulkhead contract",
	"a dot": "/bulkhead.contract",
	"an empty element": "/bulkhead//contract",
	"a slash at the end": "/bulkhead-contract/",
	"a byte above ASCII": "/bulkhead-ü",
} as const;

/** What is a path and what is none. */
export const pathRows: readonly ContractRow[] = rows("paths", {
	"a path that is none is refused": async ({ raw }) => {
		const connection = await raw();
		for (const [what, path] of Object.entries(WRONG)) {
			assert.deepEqual(await connection.ask("READ", [path]), ["EINVAL"], what);
			assert.deepEqual(await connection.ask("MKDIR", [path]), ["EINVAL"], what);
		}
	},
	"a relative path is one below domain 0's directory": async ({ client, raw }) => {
		await client.write("/local/domain/0/bulkhead-relative", "1");
		const connection = await raw();
		assert.deepEqual(await connection.ask("READ", ["bulkhead-relative"]), ["1"]);
		assert.deepEqual(await connection.ask("RM", ["bulkhead-relative"]), ["OK"]);
		assert.equal(await client.find("/local/domain/0/bulkhead-relative"), undefined);
	},
	"a node's longest path is 2048 bytes or as configured, wherever it begins": async ({ root, raw, world }) => {
		const connection = await raw();
		const longest = `${root}/`.padEnd(world.longestPath ?? LIMITS.relativePath, "x");
		assert.deepEqual(await connection.ask("MKDIR", [longest]), ["OK"]);
		// Both have a limit of their own below the protocol's 3072: --path-max and quota-path-max.
		assert.deepEqual(await connection.ask("MKDIR", [`${longest}x`]), ["EINVAL"]);
	},
});
