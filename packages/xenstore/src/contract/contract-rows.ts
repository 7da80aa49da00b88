import { connectionRows } from "./connection-rows.ts";
import { domainRows } from "./domain-rows.ts";
import { unprivilegedRows } from "./guest-rows.ts";
import { pathRows } from "./path-rows.ts";
import { permissionRows } from "./permission-rows.ts";
import { transactionRows } from "./transaction-rows.ts";
import { treeRows } from "./tree-rows.ts";
import { watchRows } from "./watch-rows.ts";
import type { ContractRow } from "./world.ts";

/** What any xenstored must do for domain 0, by socket. */
export const contractRows: readonly ContractRow[] = [
	...treeRows,
	...pathRows,
	...permissionRows,
	...transactionRows,
	...watchRows,
	...connectionRows,
	...domainRows,
];

/** What it must do for and with an unprivileged domain: for worlds that have a guest. */
export const guestContractRows: readonly ContractRow[] = unprivilegedRows;
