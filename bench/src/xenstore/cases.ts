/** What every client is measured at. One of the peers' `case N` orders each; counts keep one order below a second. */
export const CASES = {
	"read-one": { title: "read, one after the other", unit: "request", count: 60 },
	"write-one": { title: "write, one after the other", unit: "request", count: 60 },
	"read-many": { title: "reads that do not depend on each other", unit: "request", count: 200 },
	"write-many": { title: "writes that do not depend on each other", unit: "request", count: 200 },
	"transaction-one": {
		title: "transaction of a read and 3 writes, one after the other",
		unit: "transaction",
		count: 20,
	},
	"transaction-many": { title: "the same, which do not depend on each other", unit: "transaction", count: 40 },
	watch: { title: "a write until its watch event", unit: "event", count: 40 },
} as const;

export type Case = keyof typeof CASES;
export const CASE_NAMES: readonly Case[] = Object.keys(CASES) as Case[];

/** Below it every client has nodes of its own, by its name. */
export const BENCH_ROOT = "/bulkhead-bench";
/** What is written and read: 20 bytes, as many nodes of a device hold. */
export const VALUE = "01234567890123456789";
