import type { Domains } from "./domains.ts";
import type { LiveTree } from "./live-tree.ts";
import type { Quotas } from "./quotas.ts";
import type { WatchTable } from "./watch-table.ts";

/** What all clients share. */
export interface Store {
	readonly tree: LiveTree;
	readonly domains: Domains;
	readonly watches: WatchTable;
	readonly quotas: Quotas;
}
