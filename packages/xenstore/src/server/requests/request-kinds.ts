import { OPERATION, type Operation } from "../../wire/operations.ts";
import type { RequestKind } from "./call.ts";
import { CONTROL_REQUESTS } from "./control-requests.ts";
import { DOMAIN_REQUESTS } from "./domain-requests.ts";
import { NODE_REQUESTS } from "./node-requests.ts";
import { TRANSACTION_REQUESTS } from "./transaction-requests.ts";
import { WATCH_REQUESTS } from "./watch-requests.ts";

/** What xenstored 4.17 does not know yet. */
type NewerRequest = "GET_FEATURE" | "SET_FEATURE" | "GET_QUOTA" | "SET_QUOTA";

const BY_NAME: Readonly<Record<Exclude<Operation, "WATCH_EVENT" | "ERROR" | NewerRequest>, RequestKind>> = {
	...CONTROL_REQUESTS,
	...DOMAIN_REQUESTS,
	...NODE_REQUESTS,
	...TRANSACTION_REQUESTS,
	...WATCH_REQUESTS,
};

/** What can be asked, by the number on the wire. Other numbers, WATCH_EVENT and ERROR among them, are ENOSYS. */
export const REQUEST_KINDS: ReadonlyMap<number, RequestKind> = new Map(
	Object.entries(BY_NAME).map(([name, kind]) => [OPERATION[name as Operation], kind]),
);
