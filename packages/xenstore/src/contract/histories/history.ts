import type { Operation } from "../../wire/operations.ts";

/** Who takes part in a history. The first client is always domain 0's. */
export interface HistoryShape {
	/** Clients of domain 0, each with a connection of its own. At least one. */
	dom0Clients: number;
	/** Unprivileged domains, introduced, with one connection each. None on a real host that has none to spare. */
	domids: readonly number[];
	/** A domain that does not exist. */
	stranger: number;
}

/** One client asks for one thing. */
export interface Step {
	/** Index among the clients: those of domain 0, then the domains. */
	client: number;
	operation: Operation;
	/** Strings of the request, each sent with a NUL; the last of a WRITE is its value and has none. */
	strings: readonly string[];
	/** Which of the client's transactions it is asked in; 0: in none. One that is not open is sent as an unknown id. */
	slot: number;
}

/** Every path of a history is below this one, or below the same name in a domain's own folder. */
export const HISTORY_ROOT = "bulkhead-history";

/** Transactions that one client may have open at a time. */
export const SLOTS = 3;

export function clientCount({ dom0Clients, domids }: HistoryShape): number {
	return dom0Clients + domids.length;
}

/** Whose connection the client with this index has. */
export function domidOf({ dom0Clients, domids }: HistoryShape, client: number): number {
	return domids[client - dom0Clients] ?? 0;
}

export function encodePayload({ operation, strings }: Step): string {
	const joined = strings.map((text) => `${text}\0`).join("");
	return operation === "WRITE" ? joined.slice(0, -1) : joined;
}

export function describeStep({ client, operation, strings, slot }: Step): string {
	const where = slot === 0 ? "" : ` in transaction ${slot}`;
	return `client ${client}${where}: ${operation} ${strings.map((text) => JSON.stringify(text)).join(" ")}`;
}
