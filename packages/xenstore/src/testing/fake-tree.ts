import { DOM0 } from "@bulkhead/base";
import type { Permission } from "../permission.ts";
import { LIMITS } from "../wire/limits.ts";

/** Nodes are never changed in place: a change makes a new one, so that comparing references finds conflicts. */
export interface FakeNode {
	readonly value: Buffer;
	readonly permissions: readonly Permission[];
	/** Names, in the order of their making. */
	readonly children: readonly string[];
	readonly generation: number;
}

/** What xenstored answers when it refuses: an errno's name. */
export class Refusal extends Error {
	readonly errno: string;

	constructor(errno: string) {
		super(errno);
		this.errno = errno;
	}
}

let lastGeneration = 0;

/** The nodes of a store, or of a transaction's private copy of it. Permissions are kept, not enforced. */
export class FakeTree {
	readonly #nodes: Map<string, FakeNode>;
	/** Paths read or changed, for finding conflicts. */
	readonly touched: Set<string> = new Set();
	/** Paths changed, in order: watches fire for them. */
	readonly changed: Set<string> = new Set();

	constructor(nodes: ReadonlyMap<string, FakeNode> = new Map([["/", newNode(Buffer.alloc(0), [ownedByDom0])]])) {
		this.#nodes = new Map(nodes);
	}

	/** A private copy that records what it is used for. */
	fork(): FakeTree {
		return new FakeTree(this.#nodes);
	}

	find(path: string): FakeNode | undefined {
		this.touched.add(path);
		return this.#nodes.get(path);
	}

	get(path: string): FakeNode {
		const node = this.find(path);
		if (!node) throw new Refusal("ENOENT");
		return node;
	}

	write(path: string, value: Buffer): void {
		const existing = this.find(path);
		if (existing) this.#set(path, { ...existing, value });
		else this.#create(path, value);
		this.changed.add(path);
	}

	mkdir(path: string): void {
		if (this.find(path)) return;
		this.#create(path, Buffer.alloc(0));
		this.changed.add(path);
	}

	remove(path: string): void {
		if (path === "/") throw new Refusal("EINVAL");
		if (!this.find(path)) {
			// Missing is fine while the parent is there.
			this.get(parentOf(path));
			return;
		}
		this.#removeBelow(path);
		const parent = parentOf(path);
		const node = this.get(parent);
		this.#set(parent, { ...node, children: node.children.filter((name) => name !== nameOf(path)) });
		this.changed.add(path);
	}

	setPermissions(path: string, permissions: readonly Permission[]): void {
		this.#set(path, { ...this.get(path), permissions });
		this.changed.add(path);
	}

	/** True when nothing that the fork touched has changed here since. */
	accepts(fork: FakeTree, base: FakeTree): boolean {
		return [...fork.touched].every((path) => this.#nodes.get(path) === base.#nodes.get(path));
	}

	/** Takes over all that a fork has changed. @see accepts */
	adopt(fork: FakeTree): void {
		for (const path of fork.touched) {
			const node = fork.#nodes.get(path);
			if (node) this.#nodes.set(path, node);
			else this.#nodes.delete(path);
		}
	}

	/** Paths and values, sorted: for a test's expectations. */
	toJSON(): Record<string, string> {
		const paths = [...this.#nodes.keys()].sort();
		return Object.fromEntries(paths.map((path) => [path, this.#nodes.get(path)?.value.toString("utf8") ?? ""]));
	}

	#create(path: string, value: Buffer): void {
		const parent = parentOf(path);
		if (!this.find(parent)) this.#create(parent, Buffer.alloc(0));
		const above = this.get(parent);
		this.#set(parent, { ...above, children: [...above.children, nameOf(path)] });
		this.#set(path, newNode(value, above.permissions));
	}

	#removeBelow(path: string): void {
		for (const name of this.get(path).children) this.#removeBelow(`${path}/${name}`);
		this.#nodes.delete(path);
	}

	#set(path: string, node: FakeNode): void {
		this.touched.add(path);
		this.#nodes.set(path, { ...node, generation: ++lastGeneration });
	}
}

const ownedByDom0: Permission = { domid: DOM0, access: "none" };

function newNode(value: Buffer, permissions: readonly Permission[]): FakeNode {
	return { value, permissions, children: [], generation: ++lastGeneration };
}

export function parentOf(path: string): string {
	return path.slice(0, path.lastIndexOf("/")) || "/";
}

function nameOf(path: string): string {
	return path.slice(path.lastIndexOf("/") + 1);
}

/** DIRECTORY's answer. @throws Refusal E2BIG */
export function encodeChildren(node: FakeNode): Buffer {
	const names = Buffer.from(node.children.map((name) => `${name}\0`).join(""));
	if (names.length > LIMITS.payload) throw new Refusal("E2BIG");
	return names;
}

/** DIRECTORY_PART's answer: whole names from the offset on, an empty one behind the last. */
export function encodeChildrenPart(node: FakeNode, offset: number): Buffer {
	const generation = Buffer.from(`${node.generation}\0`);
	const names = Buffer.from(node.children.map((name) => `${name}\0`).join("")).subarray(offset);
	const room = LIMITS.payload - generation.length - 1;
	if (names.length <= room) return Buffer.concat([generation, names, Buffer.from([0])]);
	return Buffer.concat([generation, names.subarray(0, names.lastIndexOf(0, room - 1) + 1)]);
}
