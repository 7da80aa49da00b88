import type { Domains } from "./domains.ts";
import { type NodeContent, type StoreNode, storeNode } from "./store-node.ts";

/** The nodes as they are now, by path, and what their owners are charged for them. */
export class LiveTree {
	readonly #nodes = new Map<string, StoreNode>();
	#generation = 0;

	get generation(): number {
		return this.#generation;
	}

	get size(): number {
		return this.#nodes.size;
	}

	nextGeneration(): number {
		return ++this.#generation;
	}

	get(path: string): StoreNode | undefined {
		return this.#nodes.get(path);
	}

	/** Paths with nodes, in the order of their making. */
	entries(): IterableIterator<[string, StoreNode]> {
		return this.#nodes.entries();
	}

	put(path: string, content: NodeContent, domains: Domains): void {
		const before = this.#nodes.get(path);
		const node = domains.withoutStale(storeNode(content, this.nextGeneration()));
		this.#nodes.set(path, node);
		if (before) charge(domains, path, before, -1);
		charge(domains, path, node, 1);
	}

	delete(path: string, domains: Domains): void {
		const before = this.#nodes.get(path);
		if (!before) return;
		this.#generation++;
		this.#nodes.delete(path);
		charge(domains, path, before, -1);
	}
}

function charge(domains: Domains, path: string, node: StoreNode, sign: 1 | -1): void {
	const owner = domains.find(node.permissions[0].domid);
	if (!owner) return;
	owner.nodes += sign;
	owner.addMemory(sign * (node.size + path.length));
}
