import { lastName, type ModelNode, type ModelTree, parentPath } from "./model-node.ts";

/** Told to those who watch, when it is so far. */
export interface ModelEvent {
	path: string;
	isExact: boolean;
	/** Lists of permissions of which one must let the watcher read: the node's, old and new, and its parent's. */
	readableBy: string[][];
}

let lastVersion = 0;

/** The tree outside transactions. Events go out at once. */
export class ModelView {
	readonly #tree: ModelTree;
	readonly #tell: (event: ModelEvent) => void;

	constructor(tree: ModelTree, tell: (event: ModelEvent) => void) {
		this.#tree = tree;
		this.#tell = tell;
	}

	get(path: string): ModelNode | undefined {
		return this.#tree.get(path);
	}

	put(path: string, node: ModelNode | undefined): void {
		this.#tree.set(path, node && { ...node, version: ++lastVersion });
	}

	changed(path: string, isExact: boolean, readableBy: string[][]): void {
		this.#tell({ path, isExact, readableBy });
	}
}

/**
 * A transaction: a node is copied when it is first looked at, there or not, and must not have changed at the end.
 */
export class ModelTransaction extends ModelView {
	readonly #live: ModelView;
	readonly #copies: ModelTree;
	readonly #first: ModelTree = new Map();
	readonly #written = new Set<string>();
	/** Paths to be told of at the end; true: only to those who watch this very path. */
	readonly #events = new Map<string, boolean>();

	constructor(live: ModelView) {
		const copies: ModelTree = new Map();
		super(copies, () => {});
		this.#live = live;
		this.#copies = copies;
	}

	override get(path: string): ModelNode | undefined {
		if (!this.#copies.has(path)) {
			this.#copies.set(path, this.#live.get(path));
			this.#first.set(path, this.#live.get(path));
		}
		return super.get(path);
	}

	override put(path: string, node: ModelNode | undefined): void {
		super.put(path, node);
		this.#written.add(path);
	}

	override changed(path: string, isExact: boolean): void {
		this.#events.set(path, isExact && (this.#events.get(path) ?? true));
	}

	/** False: somebody has come between, and nothing is changed. */
	commit(): boolean {
		for (const [path, first] of this.#first) if (this.#live.get(path)?.version !== first?.version) return false;
		for (const [path, node] of this.#copies) {
			if (!this.#written.has(path)) continue;
			this.#live.put(path, node);
			const isExact = this.#events.get(path);
			if (isExact === undefined) continue;
			const lists = [this.#first.get(path), node, node && this.#live.get(parentPath(path))];
			this.#live.changed(path, isExact, permissionLists(lists));
		}
		return true;
	}
}

export function permissionLists(nodes: readonly (ModelNode | undefined)[]): string[][] {
	return nodes.filter((node) => node !== undefined).map(({ permissions }) => permissions);
}

/** Adds the node, and those above it that are missing. `owner`: of what is made, when it is not inherited. */
export function createIn(view: ModelView, path: string, value: string, owner: number | undefined): void {
	const above = parentPath(path);
	if (!view.get(above)) createIn(view, above, "", owner);
	const parent = view.get(above);
	if (!parent) return;
	const [first = "", ...others] = parent.permissions;
	const permissions = owner === undefined ? parent.permissions : [`${first.slice(0, 1)}${owner}`, ...others];
	view.put(above, { ...parent, children: [...parent.children, lastName(path)] });
	view.put(path, { value, permissions, children: [], version: 0 });
}

/**
 * Removes the node and all below it, the deepest first. An errno: the lists of children and the nodes do not fit, as a
 * transaction may see that has copied some before and some after a change; then it stops where it is.
 */
export function removeIn(view: ModelView, path: string): "EINVAL" | "EIO" | undefined {
	const parent = view.get(parentPath(path));
	if (!parent) return "EINVAL";
	return removeBelow(view, path, parent, false) && unlist(view, path, parent) ? undefined : "EIO";
}

function removeBelow(view: ModelView, path: string, parent: ModelNode, isExact: boolean): boolean {
	const node = view.get(path);
	if (!node) return false;
	for (const name of node.children) {
		if (!removeBelow(view, `${path}/${name}`, node, true)) return false;
		if (!unlist(view, `${path}/${name}`, view.get(path))) return false;
	}
	view.put(path, undefined);
	view.changed(path, isExact, permissionLists([node, parent]));
	return true;
}

function unlist(view: ModelView, path: string, parent: ModelNode | undefined): boolean {
	const at = parent?.children.indexOf(lastName(path)) ?? -1;
	if (!parent || at === -1) return false;
	view.put(parentPath(path), { ...parent, children: parent.children.toSpliced(at, 1) });
	return true;
}
