import type { Connection } from "./connection.ts";
import { refuse } from "./refusal.ts";
import type { RequestWeight } from "./request-weight.ts";
import type { Store } from "./store.ts";
import { recordSize, type StoreNode } from "./store-node.ts";
import type { NodeChange, NodeEvent, TreeView } from "./tree-view.ts";

/** The tree outside any transaction, for one client, or for the server itself when there is none. */
export class LiveView implements TreeView {
	readonly #store: Store;
	readonly #client: Connection | undefined;
	/** Events of the client's request weigh on it until they are delivered. */
	readonly #weight: RequestWeight | undefined;

	constructor(store: Store, client?: Connection, weight?: RequestWeight) {
		this.#store = store;
		this.#client = client;
		this.#weight = weight;
	}

	find(path: string): StoreNode | undefined {
		const node = this.#store.tree.get(path);
		return node && this.#store.domains.withoutStale(node);
	}

	write(changes: readonly NodeChange[], isChecked: boolean): void {
		if (isChecked && this.#client?.isUnprivileged) checkQuotas(this.#store, this.#client, changes);
		for (const { path, content, newChild } of changes) {
			const { permissions, value } = content;
			const children = newChild === undefined ? content.children : content.children.with(newChild);
			this.#store.tree.put(path, { permissions, value, children }, this.#store.domains);
		}
	}

	remove(path: string): void {
		this.#store.tree.delete(path, this.#store.domains);
	}

	fire(event: NodeEvent): void {
		this.#store.watches.fire(event, this, this.#weight);
	}

	noteCreation(): void {}
}

/** In xenstored's order: for each node the number of nodes, its size, then its owner's memory. */
function checkQuotas({ quotas, domains, tree }: Store, client: Connection, changes: readonly NodeChange[]): void {
	const added = new Map<number, number>();
	let nodes = client.account.nodes;
	for (const change of changes) {
		if (change.isNew && nodes >= quotas.nodes) refuse("ENOSPC");
		const size = changedSize(change);
		if (size >= quotas["node-size"]) refuse("ENOSPC");
		const owner = change.content.permissions[0].domid;
		const before = tree.get(change.path);
		const freed = before?.permissions[0].domid === owner ? before.size + change.path.length : 0;
		const bytes = (added.get(owner) ?? 0) + size + change.path.length - freed;
		if (isOverMemory(quotas.memory, domains.find(owner), bytes)) refuse("EIO");
		added.set(owner, bytes);
		if (change.isNew) nodes++;
	}
}

export function changedSize({ content, newChild }: NodeChange): number {
	return recordSize(content) + (newChild === undefined ? 0 : newChild.length + 1);
}

/** True when so many bytes more would bring the domain to its quota. */
export function isOverMemory(
	limit: number,
	domain: { isUnprivileged: boolean; memory: number } | undefined,
	bytes: number,
): boolean {
	return domain?.isUnprivileged === true && limit > 0 && domain.memory + bytes >= limit;
}
