import type { Connection } from "./connection.ts";
import { childOf, isNodePath, nameOf, parentOf } from "./node-path.ts";
import { accessFor } from "./permissions.ts";
import { Refusal, refuse } from "./refusal.ts";
import { emptyContent, type NodeContent, type StoreNode } from "./store-node.ts";
import type { NodeChange, TreeView } from "./tree-view.ts";

/** Who looks at the tree: a client, or the server on its own behalf. */
export interface Looker {
	readonly view: TreeView;
	readonly client: Connection;
	readonly pathLimit: number;
}

/**
 * The node, if there is one that the client may use so (get_node). A client that may not use what is above it either
 * learns nothing about it: EACCES, whether it is there or not.
 * @throws Refusal EINVAL, EACCES, ENOSPC
 */
export function findNode({ view, client, pathLimit }: Looker, path: string, access: number): StoreNode | undefined {
	if (!isNodePath(path, pathLimit)) refuse("EINVAL");
	const node = view.find(path);
	if (node && (accessFor(client, node.permissions) & access) === access) return node;
	if (!mayUseAbove(view, client, path, access) || node) refuse("EACCES");
	return undefined;
}

/** @throws Refusal also ENOENT */
export function getNode(looker: Looker, path: string, access: number): StoreNode {
	return findNode(looker, path, access) ?? refuse("ENOENT");
}

/** The nearest node above decides (errno_from_parents). */
function mayUseAbove(view: TreeView, client: Connection, path: string, access: number): boolean {
	let at = path;
	do {
		at = parentOf(at);
		const node = view.find(at);
		if (node) return (accessFor(client, node.permissions) & access) !== 0;
	} while (at !== "/");
	return false;
}

/**
 * Makes a node with all that is missing above it. New nodes have the permissions of the one above; those that an
 * unprivileged domain makes are its own. @throws Refusal ENOSPC, EIO at a quota
 */
export function createNode({ view, client }: Looker, path: string, value: string): void {
	const missing = [path];
	let at = parentOf(path);
	let existing = view.find(at);
	while (!existing) {
		if (at === "/") refuse("ENOENT");
		missing.push(at);
		at = parentOf(at);
		existing = view.find(at);
	}
	view.noteCreation();
	const [owner, ...others] = existing.permissions;
	const permissions: NodeContent["permissions"] = client.isUnprivileged
		? [{ ...owner, domid: client.domid }, ...others]
		: existing.permissions;
	const changes: NodeChange[] = missing.map((each, depth) => ({
		path: each,
		content: depth === 0 ? { ...emptyContent(permissions), value } : emptyContent(permissions),
		...(depth > 0 && { newChild: nameOf(missing[depth - 1] as string) }),
		isNew: true,
	}));
	changes.push({ path: at, content: existing, newChild: nameOf(missing.at(-1) as string), isNew: false });
	view.write(changes, true);
	const parent = missing.length > 1 ? { permissions } : existing;
	view.fire({ path, isExact: false, node: emptyContent(permissions), parent });
}

/** Replaces what a node holds. @throws Refusal ENOSPC, EIO at a quota */
export function changeNode({ view }: Looker, path: string, content: NodeContent): void {
	view.write([{ path, content, isNew: false }], true);
}

/**
 * Removes a node with all below it, the deepest first, each with its event: watches on a node below hear of that very
 * node, all others of the path that was asked for.
 * @throws Refusal EIO when a transaction sees a list of children that does not fit the nodes (its end will fail), or
 * grows too large on the way: what has been removed till then stays so
 */
export function removeTree(view: TreeView, path: string): void {
	const parentPath = parentOf(path);
	const parent = view.find(parentPath) ?? refuse("EINVAL");
	removeBelow(view, path, parent, false);
	removeFromList(view, parentPath, parent, nameOf(path));
}

function removeBelow(view: TreeView, path: string, parent: StoreNode, isExact: boolean): void {
	const node = findBelow(view, path);
	let left: NodeContent = node;
	for (const name of [...node.children]) {
		removeBelow(view, childOf(path, name), node, true);
		left = removeFromList(view, path, left, name);
	}
	view.remove(path);
	view.fire({ path, isExact, node, parent });
}

function removeFromList(view: TreeView, path: string, node: NodeContent, name: string): NodeContent {
	if (!node.children.has(name)) refuse("EIO");
	const { permissions, value, children } = node;
	const content = { permissions, value, children: children.without(name) };
	view.write([{ path, content, isNew: false }], false);
	return content;
}

/** xenstored takes both a missing node and the quota for an inconsistency here. */
function findBelow(view: TreeView, path: string): StoreNode {
	try {
		return view.find(path) ?? refuse("EIO");
	} catch (error) {
		if (!(error instanceof Refusal)) throw error;
		refuse("EIO");
	}
}
