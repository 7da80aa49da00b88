import type { Duplex } from "node:stream";
import type { DomId } from "@bulkhead/base";
import type { XenstoreClient } from "../xenstore-client.ts";

/** Whose answers are expected: Xen's server in C, or the one in OCaml. A server of our own plays one of them. */
export type ServerKind = "xenstored" | "oxenstored";

/** An unprivileged domain that xenstored knows. Domain 0 owns its directory and lets it read that; see `layOut`. */
export interface GuestConnection {
	domid: DomId;
	/** A connection as that domain. The world closes it. */
	client: XenstoreClient;
}

/** A running xenstored and the ways to it. One world serves many rows; each row has a directory of its own. */
export interface XenstoreWorld {
	readonly kind: ServerKind;
	/** A new connection as domain 0, as bytes. */
	connect(): Promise<Duplex>;
	/** Absent when no domain can be had here: the rows that need one are then not offered. */
	readonly guest?: GuestConnection;
	/** The longest path that the server was configured for. Default 2048, the protocol's for a path in a domain. */
	readonly longestPath?: number;
	/** True when Xen is there: the server can tell domains that exist from others. */
	readonly knowsDomains: boolean;
}

/** One thing that must be so. `run` answers figures worth keeping, if it has some. */
export interface ContractRow {
	name: string;
	run(world: XenstoreWorld): Promise<Record<string, unknown> | undefined>;
}
