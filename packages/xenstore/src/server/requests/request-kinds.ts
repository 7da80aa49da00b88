import { OPERATION, type Operation } from "../../wire/operations.ts";
import type { RequestKind } from "./call.ts";
import { CONTROL_REQUESTS } from "./control-requests.ts";
import { DOMAIN_REQUESTS } from "./domain-requests.ts";
import { NODE_REQUESTS } from "./node-requests.ts";
import { TRANSACTION_REQUESTS } from "./transaction-requests.ts";
import { WATCH_REQUESTS } from "./watch-requests.ts";

const BY_NAME: Partial<Record<Operation, RequestKind>> = {
	...CONTROL_REQUESTS,
	...DOMAIN_REQUESTS,
	...NODE_REQUESTS,
	...TRANSACTION_REQUESTS,
	...WATCH_REQUESTS,
};

/** What 4.17 can be asked, by the number on the wire. Others, WATCH_EVENT and ERROR among them, are ENOSYS. */
export const REQUEST_KINDS: ReadonlyMap<number, RequestKind> = new Map(
	Object.entries(BY_NAME).map(([name, kind]) => [OPERATION[name as Operation], kind]),
);
