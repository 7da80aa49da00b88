import type { Connection } from "./connection.ts";
import { changedSize, isOverMemory, LiveView } from "./live-view.ts";
import type { Permissions } from "./permissions.ts";
import { refuse } from "./refusal.ts";
import type { RequestWeight } from "./request-weight.ts";
import type { Store } from "./store.ts";
import { NO_GENERATION, type StoreNode, storeNode } from "./store-node.ts";
import type { NodeChange, NodeEvent, TreeView } from "./tree-view.ts";

/** A node as the transaction has met it first, and as it is in there now. */
interface Touched {
	/** When it was met: the tree must still be there at the end. */
	readonly generation: number;
	readonly permissions: Permissions | undefined;
	node: StoreNode | undefined;
	isChanged: boolean;
	/** Watches to be told at the end. */
	event: "none" | "exact" | "below";
}

/**
 * One client's private changes on top of the tree (xenstored_transaction.c). A node is taken over when it is first
 * touched, found or not: others' changes show until then, and make the end fail with EAGAIN from then on. Starting one
 * costs nothing, and each node that it touches one reference.
 */
export class Transaction implements TreeView {
	readonly #store: Store;
	readonly #client: Connection;
	readonly #touched = new Map<string, Touched>();
	/** Nodes more (or fewer) for each owner. */
	readonly #counts = new Map<number, number>();
	readonly #keyPrefix: number;
	#hasCreated = false;
	/** A change went wrong half-way: nothing will come of this transaction. */
	#hasFailed = false;
	#memory = 0;

	constructor(store: Store, client: Connection) {
		this.#store = store;
		this.#client = client;
		this.#keyPrefix = `${store.tree.nextGeneration()}/`.length;
	}

	/** Bytes that its client is charged for. */
	get memory(): number {
		return this.#memory;
	}

	find(path: string): StoreNode | undefined {
		const known = this.#touched.get(path);
		if (known) return known.node && this.#store.domains.withoutStale(known.node);
		if (this.#client.isUnprivileged && this.#touched.size >= this.#store.quotas["transaction-nodes"]) {
			this.#hasFailed = true;
			refuse("ENOSPC");
		}
		const found = this.#store.tree.get(path);
		const node = found && this.#store.domains.withoutStale(found);
		node?.children.share();
		const { generation = NO_GENERATION, permissions } = node ?? {};
		this.#touched.set(path, { generation, permissions, node, isChanged: false, event: "none" });
		if (node) this.#charge(node.size + this.#keyPrefix + path.length);
		return node;
	}

	write(changes: readonly NodeChange[], isChecked: boolean): void {
		if (isChecked && this.#client.isUnprivileged) this.#checkQuotas(changes);
		for (const change of changes) {
			const { path, content, newChild, isNew } = change;
			const { permissions, value } = content;
			const children = newChild === undefined ? content.children : content.children.with(newChild);
			const touched = this.#get(path);
			const made = storeNode({ permissions, value, children }, this.#store.tree.nextGeneration());
			const node = this.#store.domains.withoutStale(made);
			this.#charge(node.size - (touched.node?.size ?? -(this.#keyPrefix + path.length)));
			if (isNew) this.#count(permissions, 1);
			else if (touched.node && touched.node.permissions !== permissions) {
				this.#count(touched.node.permissions, -1);
				this.#count(permissions, 1);
			}
			touched.node = node;
			touched.isChanged = true;
		}
	}

	remove(path: string): void {
		const touched = this.#get(path);
		const { node } = touched;
		if (!node) return;
		this.#store.tree.nextGeneration();
		this.#charge(-(node.size + this.#keyPrefix + path.length));
		touched.node = undefined;
		touched.isChanged = true;
		this.#count(node.permissions, -1);
	}

	fire({ path, isExact }: NodeEvent): void {
		const touched = this.#get(path);
		if (!isExact) touched.event = "below";
		else if (touched.event === "none") touched.event = "exact";
	}

	noteCreation(): void {
		this.#hasCreated = true;
	}

	/** @throws Refusal ENOMEM, ENOSPC, EAGAIN: the tree is as it was */
	commit(weight: RequestWeight | undefined): void {
		if (this.#hasFailed) refuse("ENOMEM");
		this.#checkCounts();
		const { tree, domains, watches } = this.#store;
		for (const [path, { generation }] of this.#touched)
			if ((tree.get(path)?.generation ?? NO_GENERATION) !== generation) refuse("EAGAIN");
		const view = new LiveView(this.#store, this.#client);
		for (const [path, { node, isChanged, event, permissions: oldPermissions }] of this.#touched) {
			if (!isChanged) continue;
			// A later transaction may hold the same list of children.
			if (node) tree.put(path, node, domains);
			else tree.delete(path, domains);
			if (event !== "none") watches.fire({ path, isExact: event === "exact", oldPermissions }, view, weight);
		}
	}

	/** Gives back what the transaction weighs on its domain. Committed or not, it is over. */
	discard(): void {
		this.#charge(-this.#memory);
	}

	/** Every change was preceded by `find`. */
	#get(path: string): Touched {
		this.find(path);
		const touched = this.#touched.get(path);
		if (!touched) throw new TypeError("A node is changed that was not looked for");
		return touched;
	}

	#checkQuotas(changes: readonly NodeChange[]): void {
		const { quotas } = this.#store;
		const { account } = this.#client;
		let bytes = 0;
		for (const change of changes) {
			if (change.isNew && account.nodes >= quotas.nodes) refuse("ENOSPC");
			const size = changedSize(change);
			if (size >= quotas["node-size"]) this.#fail("ENOSPC");
			bytes += size - (this.#touched.get(change.path)?.node?.size ?? 0);
			if (isOverMemory(quotas.memory, account, bytes)) this.#fail("EIO");
		}
	}

	/** One node too many for a domain is found at the end, and there the limit itself is too many (4.17). */
	#checkCounts(): void {
		const { quotas, domains } = this.#store;
		const isChecked = this.#hasCreated && this.#client.isUnprivileged;
		for (const [domid, count] of this.#counts) {
			const domain = domains.findExisting(domid);
			if (isChecked && domain?.isUnprivileged && domain.nodes + count >= quotas.nodes) refuse("ENOSPC");
			if (!domain) refuse("ENOMEM");
		}
	}

	#fail(errno: "ENOSPC" | "EIO"): never {
		this.#hasFailed = true;
		refuse(errno);
	}

	#count([{ domid }]: Permissions, sign: 1 | -1): void {
		this.#counts.set(domid, (this.#counts.get(domid) ?? 0) + sign);
	}

	#charge(bytes: number): void {
		this.#memory += bytes;
		this.#client.account.addMemory(bytes);
	}
}
