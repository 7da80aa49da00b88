import { Children } from "./children.ts";
import type { Permissions } from "./permissions.ts";

/**
 * A node at one moment. Never changed in place: a change makes a new one, so whoever holds one (a transaction) holds its
 * past. Text is one character for each byte (latin1).
 */
export interface StoreNode {
	/** Of the change that made it what it is; NO_GENERATION stands for a node that is not there. */
	readonly generation: number;
	readonly permissions: Permissions;
	readonly value: string;
	readonly children: Children;
	/** `recordSize` of it. Large lists of children are changed in place, so it could not be found out later. */
	readonly size: number;
}

/** What is known of a node to be; the rest comes when it is stored. */
export type NodeContent = Pick<StoreNode, "permissions" | "value" | "children">;

export const NO_GENERATION = -1;

/** Bytes of xenstored's record in front of permissions, value and names (utils.h, xs_tdb_record_hdr). */
const RECORD_HEADER = 24;
const PERMISSION_RECORD = 8;

/** Bytes of a node's record in xenstored's database, which its quotas count. */
export function recordSize({ permissions, value, children }: NodeContent): number {
	return RECORD_HEADER + permissions.length * PERMISSION_RECORD + value.length + children.byteLength;
}

export function storeNode({ permissions, value, children }: NodeContent, generation: number): StoreNode {
	return { generation, permissions, value, children, size: recordSize({ permissions, value, children }) };
}

export function emptyContent(permissions: Permissions): NodeContent {
	return { permissions, value: "", children: Children.none };
}
