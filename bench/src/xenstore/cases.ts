import type { PeerName } from "./peers.ts";

/**
 * What every client is measured at. One of the peers' `case N` orders each. Counts are such that what runs all day is
 * measured, compiled and warm, and not its start.
 */
export const CASES = {
	"read-one": { title: "read, one after the other", unit: "request", count: 150 },
	"socket-one": {
		title: "… the same read by a bare socket of Node, without a client",
		unit: "request",
		count: 150,
	},
	"write-one": { title: "write, one after the other", unit: "request", count: 150 },
	"read-many": { title: "reads that do not depend on each other", unit: "request", count: 1500 },
	"socket-many": {
		title: "… the same reads by a bare socket of C, as many at once as ours",
		unit: "request",
		count: 1500,
	},
	"write-many": { title: "writes that do not depend on each other", unit: "request", count: 1500 },
	"transaction-one": {
		title: "transaction of a read and 3 writes, one after the other",
		unit: "transaction",
		count: 80,
	},
	"transaction-many": { title: "the same, which do not depend on each other", unit: "transaction", count: 200 },
	watch: { title: "a write until its watch event", unit: "event", count: 200 },
} as const;

/** What only one of the programs does: it shows what is its surroundings' and not the client's. */
export const ONE_PEERS: Partial<Record<Case, PeerName>> = { "socket-one": "bulkhead", "socket-many": "libxenstore" };

export type Case = keyof typeof CASES;
export const CASE_NAMES: readonly Case[] = Object.keys(CASES) as Case[];

/** Below it every client has nodes of its own, by its name. */
export const BENCH_ROOT = "/bulkhead-bench";
/** What is written and read: 20 bytes, as many nodes of a device hold. */
export const VALUE = "01234567890123456789";
