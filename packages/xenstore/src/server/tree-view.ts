import type { Permissions } from "./permissions.ts";
import type { NodeContent, StoreNode } from "./store-node.ts";

/** One node to be stored. */
export interface NodeChange {
	path: string;
	content: NodeContent;
	/** A name to be added to the content's children when it is stored, not before: the list may be changed in place. */
	newChild?: string;
	/** There was no such node. */
	isNew: boolean;
}

/** What the watches hear of. */
export interface NodeEvent {
	path: string;
	/** Only for watches on this very path, not for those above it. */
	isExact: boolean;
	/** What decides who may know, where it is at hand. */
	node?: NodeContent;
	parent?: Pick<NodeContent, "permissions">;
	/** A client that could read the node before hears of its change too. */
	oldPermissions?: Permissions;
}

/** The tree as one client sees it, inside a transaction or outside. Paths have been checked. */
export interface TreeView {
	/** @throws Refusal ENOSPC when the transaction has touched too many nodes */
	find(path: string): StoreNode | undefined;
	/** All of them, or none. @throws Refusal ENOSPC, EIO at a quota, which only `isChecked` looks at */
	write(changes: readonly NodeChange[], isChecked: boolean): void;
	/** It must be there. */
	remove(path: string): void;
	/** At once, or when the transaction is committed. */
	fire(event: NodeEvent): void;
	/** A client is about to make a node here. */
	noteCreation(): void;
}
