import { Domain } from "./domain.ts";
import type { Permission, Permissions } from "./permissions.ts";
import type { StoreNode } from "./store-node.ts";

/** The domains that have been introduced, or are named by permissions. */
export class Domains {
	readonly #domains = new Map<number, Domain>();
	readonly #exists: (domid: number) => boolean;
	readonly #generation: () => number;

	/** `exists` asks the host; `generation` is the tree's. */
	constructor(exists: (domid: number) => boolean, generation: () => number) {
		this.#exists = exists;
		this.#generation = generation;
	}

	[Symbol.iterator](): Iterator<Domain> {
		return this.#domains.values();
	}

	find(domid: number): Domain | undefined {
		return this.#domains.get(domid);
	}

	findIntroduced(domid: number): Domain | undefined {
		const domain = this.#domains.get(domid);
		return domain?.isIntroduced ? domain : undefined;
	}

	/** Known already, or taken up now that the host says it is there. */
	findExisting(domid: number): Domain | undefined {
		return this.#domains.get(domid) ?? (this.#exists(domid) ? this.#add(domid) : undefined);
	}

	/** Taken up now if need be, whatever the host says: domain 0, and domains that are introduced. */
	ensure(domid: number): Domain {
		return this.#domains.get(domid) ?? this.#add(domid);
	}

	forget(domid: number): void {
		this.#domains.delete(domid);
	}

	/** Entries of a new list that name nobody are marked (domain_alloc_permrefs). */
	markStrangers(permissions: Permissions): Permissions {
		const mark = (entry: Permission): Permission =>
			this.findExisting(entry.domid) ? entry : { ...entry, isIgnored: true };
		const [owner, ...others] = permissions;
		return [mark(owner), ...others.map(mark)];
	}

	/** The node with the entries marked whose domain is gone or younger than the node (domain_adjust_node_perms). */
	withoutStale<T extends Pick<StoreNode, "permissions" | "generation">>(node: T): T {
		const { permissions, generation } = node;
		for (let at = 1; at < permissions.length; at++)
			if (this.#isStale(permissions[at] as Permission, generation)) return this.#markStale(node);
		return node;
	}

	#markStale<T extends Pick<StoreNode, "permissions" | "generation">>(node: T): T {
		const [owner, ...others] = node.permissions;
		const marked = others.map((entry) =>
			this.#isStale(entry, node.generation) ? { ...entry, isIgnored: true } : entry,
		);
		return { ...node, permissions: [owner, ...marked] };
	}

	#isStale({ domid, isIgnored }: Permission, generation: number): boolean {
		if (isIgnored) return false;
		const domain = this.#domains.get(domid);
		return domain === undefined || domain.generation > generation;
	}

	#add(domid: number): Domain {
		const domain = new Domain(domid, this.#generation());
		this.#domains.set(domid, domain);
		return domain;
	}
}
