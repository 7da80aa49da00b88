import type { Permission, XenstoreValue, XenstoreView } from "@bulkhead/xenstore";

/** A node to be written, with everything below it. Without `permissions` it has those of its parent. */
export interface NodeTree {
	/** Default: empty. */
	value?: XenstoreValue;
	permissions?: readonly Permission[];
	/** By name; a bare value is a node without more. */
	children?: Readonly<Record<string, NodeTree | XenstoreValue>>;
}

/**
 * Writes nodes that are not there yet with few requests: a new node inherits its parent's permissions and brings
 * missing parents into being (xenstore.txt), so the children that share permissions are made while their parent has
 * these, and a parent needs no request of its own unless its permissions change. Meant for a transaction: outside one,
 * others see the permissions in between.
 *
 * `inherited`: what the node at `path` gets when it is made; undefined when that is not known.
 */
export function writeNodes(
	store: Pick<XenstoreView, "write" | "setPermissions">,
	path: string,
	tree: NodeTree,
	inherited?: readonly Permission[],
): Promise<unknown> {
	const requests: Promise<void>[] = [];
	const emit: Emit = {
		write: (at, value) => requests.push(store.write(at, value)),
		setPermissions: (at, permissions) => requests.push(store.setPermissions(at, permissions)),
	};
	emitTree(emit, path, tree, inherited);
	return Promise.all(requests);
}

interface Emit {
	write(path: string, value: XenstoreValue): void;
	setPermissions(path: string, permissions: readonly Permission[]): void;
}

interface Group {
	permissions: readonly Permission[] | undefined;
	children: [name: string, tree: NodeTree][];
}

function emitTree(emit: Emit, path: string, tree: NodeTree, inherited: readonly Permission[] | undefined): void {
	const wanted = tree.permissions ?? inherited;
	const groups = groupChildren(tree, wanted);
	// Children that want what the node has anyway come first, those that want what it ends with come last.
	const rank = ({ permissions }: Group): number =>
		isSame(permissions, inherited) ? 0 : isSame(permissions, wanted) ? 2 : 1;
	groups.sort((a, b) => rank(a) - rank(b));
	let current = inherited;
	let exists = tree.value !== undefined || groups.length === 0;
	if (exists) emit.write(path, tree.value ?? "");
	const become = (permissions: readonly Permission[] | undefined): void => {
		if (permissions === undefined || isSame(permissions, current)) return;
		if (!exists) emit.write(path, "");
		exists = true;
		emit.setPermissions(path, permissions);
		current = permissions;
	};
	for (const { permissions, children } of groups) {
		// One child is as cheap to change itself, unless its parent changes to the same anyway; what is not known cannot
		// be given back.
		if (wanted !== undefined && (children.length > 1 || isSame(permissions, wanted))) become(permissions);
		for (const [name, child] of children) emitTree(emit, `${path}/${name}`, { ...child, permissions }, current);
		exists = true;
	}
	become(wanted);
}

function groupChildren({ children = {} }: NodeTree, own: readonly Permission[] | undefined): Group[] {
	const groups: Group[] = [];
	for (const [name, given] of Object.entries(children)) {
		const child = asTree(given);
		const permissions = child.permissions ?? own;
		const known = groups.find((group) => isSame(group.permissions, permissions));
		if (known) known.children.push([name, child]);
		else groups.push({ permissions, children: [[name, child]] });
	}
	return groups;
}

function asTree(given: NodeTree | XenstoreValue): NodeTree {
	return typeof given === "object" && !(given instanceof Uint8Array) ? given : { value: given };
}

function isSame(a: readonly Permission[] | undefined, b: readonly Permission[] | undefined): boolean {
	if (a === undefined || b === undefined) return a === b;
	return a.length === b.length && a.every(({ domid, access }, at) => domid === b[at]?.domid && access === b[at].access);
}
