import { describe, expect, it } from "vitest";
import type { Quotas } from "../../src/server/index.ts";
import { DEFAULT_QUOTAS } from "../../src/server/index.ts";
import { playRows, type Row } from "./play-rows.ts";

/** Domain 5's own folder. */
const FOLDER: readonly Row[] = [
	["0", "MKDIR /local/domain/5|", "OK"],
	["0", "SET_PERMS /local/domain/5|n5|", "OK"],
];

const ROWS: Record<string, [quotas: Partial<Quotas>, rows: readonly Row[]]> = {
	"nodes: as many as the limit, its own folder counted": [
		{ nodes: 4 },
		[
			["5", "WRITE a/b|", "OK"],
			["5", "WRITE c/d|", "ENOSPC"],
			["5", "READ c|", "ENOENT"],
			["5", "WRITE c|", "OK"],
			["5", "WRITE d|", "ENOSPC"],
			["5", "MKDIR a/e|", "ENOSPC"],
			["5", "WRITE c|more", "OK"],
			["0", "WRITE /local/domain/5/d|by domain 0", "OK"],
			["5", "RM a|", "OK"],
			["0", "RM /local/domain/5/d|", "OK"],
			["5", "WRITE e|", "OK"],
		],
	],
	"nodes in a transaction: found at its end, where the limit itself is too many": [
		{ nodes: 4 },
		[
			["5", "TRANSACTION_START |", "→ t"],
			["5/t", "WRITE a|", "OK"],
			["5/t", "WRITE b|", "OK"],
			["5/t", "WRITE c|", "OK"],
			["5/t", "TRANSACTION_END T|", "ENOSPC"],
			["5", "READ a|", "ENOENT"],
			["5", "TRANSACTION_START |", "→ t"],
			["5/t", "WRITE a|", "OK"],
			["5/t", "WRITE b|", "OK"],
			["5/t", "TRANSACTION_END T|", "OK"],
			["5", "WRITE c|", "OK"],
			["5", "TRANSACTION_START |", "→ t"],
			["5/t", "WRITE d|", "ENOSPC"],
			["5/t", "TRANSACTION_END T|", "OK"],
		],
	],
	"node-size: the record must stay below it, names of children counted": [
		{ "node-size": 100 },
		[
			["5", `WRITE a|${"v".repeat(67)}`, "OK"],
			["5", `WRITE a|${"v".repeat(68)}`, "ENOSPC"],
			["5", `WRITE b|${"v".repeat(68)}`, "ENOSPC"],
			["5", "READ b|", "ENOENT"],
			["5", `WRITE d/${"n".repeat(66)}|`, "OK"],
			["5", "WRITE d/m|", "ENOSPC"],
			["5", `WRITE e/${"n".repeat(67)}|`, "ENOSPC"],
			["5", "DIRECTORY |", "EINVAL"],
			["5", "DIRECTORY /local/domain/5|", "a|d|"],
			["0", `WRITE /local/domain/5/a|${"v".repeat(4000)}`, "OK"],
			["5", "TRANSACTION_START |", "→ t"],
			["5/t", `WRITE b|${"v".repeat(68)}`, "ENOSPC"],
			["5/t", "TRANSACTION_END T|", "ENOMEM"],
		],
	],
	"watches: one more than the limit": [
		{ watches: 2 },
		[
			["5", "WATCH a|1|", "OK"],
			["5", "WATCH a|2|", "OK"],
			["5", "WATCH a|3|", "OK"],
			["5", "WATCH a|4|", "E2BIG"],
			["5", "UNWATCH a|1|", "OK"],
			["5", "WATCH a|4|", "OK"],
			["0", "WATCH a|4|", "OK"],
		],
	],
	"transactions: one more than the limit": [
		{ transactions: 1 },
		[
			["5", "TRANSACTION_START |", "→ t"],
			["5", "TRANSACTION_START |", "→ u"],
			["5", "TRANSACTION_START |", "ENOSPC"],
			["5/t", "TRANSACTION_END F|", "OK"],
			["5", "TRANSACTION_START |", "→ t"],
			["0", "TRANSACTION_START |", "→ v"],
			["0", "TRANSACTION_START |", "→ w"],
			["0", "TRANSACTION_START |", "→ x"],
		],
	],
	"transaction-nodes: even looking is refused, and the transaction is lost": [
		{ "transaction-nodes": 3 },
		[
			["0", "MKDIR /local/domain/5/a|", "OK"],
			["5", "TRANSACTION_START |", "→ t"],
			["5/t", "READ a|", ""],
			["5/t", "READ b|", "ENOENT"],
			["5/t", "READ c|", "ENOSPC"],
			["5/t", "READ a|", ""],
			["5/t", "TRANSACTION_END T|", "ENOMEM"],
		],
	],
	"transaction-nodes: removing a tree that is too large for it": [
		{ "transaction-nodes": 4 },
		[
			["0", "WRITE /local/domain/5/a/1|", "OK"],
			["0", "WRITE /local/domain/5/a/2|", "OK"],
			["0", "WRITE /local/domain/5/a/3|", "OK"],
			["0", "SET_PERMS /local/domain/5/a|n5|", "OK"],
			["5", "TRANSACTION_START |", "→ t"],
			["5/t", "RM a|", "EIO"],
			["5/t", "TRANSACTION_END T|", "ENOMEM"],
			["5", "DIRECTORY a|", "1|2|3|"],
			["5", "RM a|", "OK"],
		],
	],
	"permissions: in one request": [
		{ permissions: 2 },
		[
			["5", "WRITE a|", "OK"],
			["5", "SET_PERMS a|n5|r0|", "OK"],
			["5", "SET_PERMS a|n5|r0|r6|", "ENOSPC"],
			["0", "SET_PERMS /local/domain/5/a|n5|r0|r6|", "OK"],
		],
	],
	"path-max: for everybody, domain 0 too": [
		{ "path-max": 20 },
		[
			["5", `WRITE ${"x".repeat(20)}|`, "OK"],
			["5", `WRITE ${"x".repeat(21)}|`, "EINVAL"],
			["0", `WRITE /${"x".repeat(19)}|`, "OK"],
			["0", `WRITE /${"x".repeat(20)}|`, "EINVAL"],
			["0", `WATCH /${"x".repeat(20)}|t|`, "EINVAL"],
		],
	],
	"memory: nodes and watches that would go beyond are refused; domain 0 is not": [
		// Its own folder takes 24 + 8 + 15 bytes, and 2 for the name of `a`; `a` itself 24 + 8 + 17 and its value.
		{ memory: 400 },
		[
			["5", `WRITE a|${"v".repeat(250)}`, "OK"],
			["5", `WRITE a|${"v".repeat(350)}`, "EIO"],
			["5", `WRITE b|${"v".repeat(50)}`, "EIO"],
			["5", "WATCH a|t|", "OK"],
			["5", `WATCH a|${"t".repeat(40)}|`, "ENOMEM"],
			["5", "READ a|", "ENOMEM"],
			["0", `WRITE /local/domain/5/a|${"v".repeat(100)}`, "OK"],
			["5", "READ a|", "v".repeat(100)],
			[
				"0",
				"CONTROL quota|5|",
				"Domain 5:\nnodes           :        2\nwatches         :        1\ntransactions    :        0\noutstanding     :        0\nmemory          :      216\n|",
			],
		],
	],
	"memory: what a transaction holds counts until it ends": [
		{ memory: 500 },
		[
			["5", `WRITE a|${"v".repeat(100)}`, "OK"],
			["5", "TRANSACTION_START |", "→ t"],
			["5/t", `WRITE a|${"v".repeat(101)}`, "OK"],
			["5/t", `WRITE a|${"v".repeat(300)}`, "EIO"],
			["5/t", "TRANSACTION_END T|", "ENOMEM"],
			["5", `WRITE a|${"v".repeat(300)}`, "OK"],
		],
	],
};

describe("a domain at its quota of", () => {
	it.each(Object.entries(ROWS))("%s", async (_, [quotas, rows]) => {
		await playRows([...FOLDER, ...rows], { quotas });
	});
});

describe("quotas", () => {
	it("are those of xenstored 4.17", () => {
		expect(DEFAULT_QUOTAS).toEqual({
			nodes: 1000,
			watches: 128,
			transactions: 10,
			outstanding: 20,
			"transaction-nodes": 1024,
			memory: 2_621_440,
			"node-size": 2048,
			"path-max": 2048,
			permissions: 5,
		});
	});

	it("can be changed while the server runs", async () => {
		await playRows([
			...FOLDER,
			["5", "WRITE a|", "OK"],
			["0", "CONTROL quota|set|nodes|2|", "OK"],
			["5", "WRITE b|", "ENOSPC"],
			["0", "CONTROL quota|set|nodes|3|", "OK"],
			["5", "WRITE b|", "OK"],
		]);
	});
});
