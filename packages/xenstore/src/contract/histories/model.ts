import { domidOf, HISTORY_ROOT, type HistoryShape, type Step } from "./history.ts";
import { isGoodPath, type ModelClient, type ModelNode, may, parentPath, rightsOf } from "./model-node.ts";
import { createIn, type ModelEvent, ModelTransaction, ModelView, permissionLists, removeIn } from "./model-view.ts";
import type { Answer, WatchEvent } from "./wire-client.ts";

interface ModelWatch extends WatchEvent {
	/** In front of the paths in its events. */
	base: string;
}

class Refused extends Error {}

const OK: Answer = { payload: "OK\0" };

/**
 * What a store should answer, said as plainly as possible: whole copies, no accounts, no quotas, no bytes. Meant to be
 * read beside docs/misc/xenstore.txt; where that is vague, it says what xenstored 4.17 does.
 */
export class Model {
	/** Events that each client has before it. */
	readonly events: WatchEvent[][];
	readonly #shape: HistoryShape;
	readonly #nodes = new Map<string, ModelNode | undefined>();
	readonly #live: ModelView;
	readonly #clients: ModelClient[];
	readonly #watches: ModelWatch[][];
	readonly #transactions: Map<number, ModelTransaction>[];

	constructor(shape: HistoryShape, clientCount: number) {
		const all = Array.from({ length: clientCount }, (_, client) => client);
		this.#shape = shape;
		this.#live = new ModelView(this.#nodes, (event) => this.#tell(event));
		this.#clients = all.map((client) => ({ domid: domidOf(shape, client), target: undefined }));
		this.#watches = all.map(() => []);
		this.#transactions = all.map(() => new Map());
		this.events = all.map(() => []);
		this.#nodes.set("/", { value: "", permissions: ["n0"], children: [], version: 0 });
		for (const { path, permissions } of firstNodes(shape)) {
			createIn(this.#live, path, "", undefined);
			const node = this.#live.get(path);
			if (node) this.#live.put(path, { ...node, permissions });
		}
	}

	/** Paths and values below a history's folders. */
	get contents(): Map<string, string> {
		const isOurs = (path: string): boolean => path.includes(`/${HISTORY_ROOT}`);
		const found = [...this.#nodes].filter((entry): entry is [string, ModelNode] => entry[1] !== undefined);
		return new Map(found.filter(([path]) => isOurs(path)).map(([path, { value }]) => [path, value]));
	}

	isOpen(client: number, slot: number): boolean {
		return this.#transactions[client]?.has(slot) ?? false;
	}

	/** Undefined: any answer that is no error will do. */
	answer(step: Step): Answer | undefined {
		try {
			return this.#perform(step);
		} catch (error) {
			if (error instanceof Refused) return { errno: error.message };
			throw error;
		}
	}

	#perform(step: Step): Answer | undefined {
		const { client: index, operation, slot, strings } = step;
		const client = this.#clients[index] as ModelClient;
		const [first = "", ...rest] = strings;
		const isForDom0 = operation === "IS_DOMAIN_INTRODUCED" || operation === "SET_TARGET";
		if (isForDom0 && client.domid !== 0) throw new Refused("EACCES");
		if (operation === "WATCH") return this.#watch(index, first, rest);
		if (operation === "UNWATCH") return this.#unwatch(index, first, rest);
		const transaction = this.#transactions[index]?.get(slot);
		if (slot !== 0 && !transaction) throw new Refused("ENOENT");
		const view = transaction ?? this.#live;
		if (operation === "TRANSACTION_START") return this.#start(index, slot);
		if (operation === "TRANSACTION_END") return this.#end(index, slot, first);
		if (operation === "RESET_WATCHES") return this.#reset(index);
		if (operation === "GET_DOMAIN_PATH")
			return { payload: `/local/domain/${(Number.parseInt(first, 10) || 0) >>> 0}\0` };
		if (operation === "IS_DOMAIN_INTRODUCED") return { payload: this.#isIntroduced(Number(first)) ? "T\0" : "F\0" };
		if (operation === "SET_TARGET") return this.#setTarget(Number(first), Number(rest[0]));
		return this.#performOnNode(view, client, step);
	}

	#performOnNode(view: ModelView, client: ModelClient, { operation, strings }: Step): Answer {
		const [given = "", ...rest] = strings;
		const path = absolute(client, given);
		if (operation === "WRITE") return this.#write(view, client, path, rest[0] ?? "");
		if (operation === "MKDIR") return this.#mkdir(view, client, path);
		if (operation === "RM") return this.#remove(view, client, path);
		if (operation === "SET_PERMS") return this.#setPermissions(view, client, path, rest);
		const node = getNode(view, client, path, "r");
		if (operation === "READ") return { payload: node.value };
		if (operation === "GET_PERMS") return { payload: node.permissions.map((text) => `${text}\0`).join("") };
		const list = node.children.map((name) => `${name}\0`).join("");
		return { payload: operation === "DIRECTORY" ? list : `${list.slice(Number(rest[0]))}\0` };
	}

	#write(view: ModelView, client: ModelClient, path: string, value: string): Answer {
		const node = findNode(view, client, path, "w");
		if (node) view.put(path, { ...node, value });
		else createIn(view, path, value, ownerOfNew(client));
		tellOfNode(view, path);
		return OK;
	}

	#mkdir(view: ModelView, client: ModelClient, path: string): Answer {
		if (findNode(view, client, path, "w")) return OK;
		createIn(view, path, "", ownerOfNew(client));
		tellOfNode(view, path);
		return OK;
	}

	#remove(view: ModelView, client: ModelClient, path: string): Answer {
		const node = findNode(view, client, path, "w");
		if (!node && !view.get(parentPath(path))) throw new Refused("ENOENT");
		if (node && path === "/") throw new Refused("EINVAL");
		const failure = node && removeIn(view, path);
		if (failure) throw new Refused(failure);
		return OK;
	}

	#setPermissions(view: ModelView, client: ModelClient, path: string, list: readonly string[]): Answer {
		if (!list.every((text) => /^[nrwb]\d+$/.test(text))) throw new Refused("EINVAL");
		const owner = Number(list[0]?.slice(1));
		if (!this.#isIntroduced(owner)) throw new Refused("ENOENT");
		const node = getNode(view, client, path, "wo");
		if (client.domid !== 0 && owner !== Number(node.permissions[0]?.slice(1))) throw new Refused("EPERM");
		view.put(path, { ...node, permissions: [...list] });
		tellOfNode(view, path, node);
		return OK;
	}

	#watch(index: number, given: string, [token = ""]: readonly string[]): Answer {
		const client = this.#clients[index] as ModelClient;
		const path = absolute(client, given);
		if (!path.startsWith("@") && !isGoodPath(path)) throw new Refused("EINVAL");
		const watches = this.#watches[index] ?? [];
		if (watches.some((watch) => watch.path === path && watch.token === token)) throw new Refused("EEXIST");
		const base = path === given ? "" : `/local/domain/${client.domid}/`;
		watches.push({ path, token, base });
		this.events[index]?.push({ path: path.slice(base.length), token });
		return OK;
	}

	#unwatch(index: number, given: string, [token = ""]: readonly string[]): Answer {
		const path = absolute(this.#clients[index] as ModelClient, given);
		const watches = this.#watches[index] ?? [];
		const at = watches.findIndex((watch) => watch.path === path && watch.token === token);
		if (at === -1) throw new Refused("ENOENT");
		watches.splice(at, 1);
		return OK;
	}

	#reset(index: number): Answer {
		this.#watches[index] = [];
		this.#transactions[index]?.clear();
		return OK;
	}

	/** In the first slot that is free. */
	#start(index: number, slot: number): undefined {
		if (slot !== 0) throw new Refused("EBUSY");
		const open = this.#transactions[index];
		let free = 1;
		while (open?.has(free)) free++;
		open?.set(free, new ModelTransaction(this.#live));
	}

	#end(index: number, slot: number, verdict: string): Answer {
		if (verdict !== "T" && verdict !== "F") throw new Refused("EINVAL");
		const transaction = this.#transactions[index]?.get(slot);
		if (!transaction) throw new Refused("ENOENT");
		this.#transactions[index]?.delete(slot);
		if (verdict === "T" && !transaction.commit()) throw new Refused("EAGAIN");
		return OK;
	}

	#setTarget(domid: number, target: number): Answer {
		if (!this.#isIntroduced(domid) || !this.#isIntroduced(target)) throw new Refused("ENOENT");
		// Domain 0 may do everything as it is.
		for (const client of this.#clients) if (client.domid === domid && domid !== 0) client.target = target;
		return OK;
	}

	#isIntroduced(domid: number): boolean {
		return domid === 0 || this.#shape.domids.includes(domid);
	}

	#tell({ path, isExact, readableBy }: ModelEvent): void {
		for (const [index, watches] of this.#watches.entries()) {
			const client = this.#clients[index] as ModelClient;
			if (!readableBy.some((permissions) => may(client, "r", permissions))) continue;
			const matching = watches.filter(
				(watch) => watch.path === path || (!isExact && (watch.path === "/" || path.startsWith(`${watch.path}/`))),
			);
			// Watches that share a token cannot be told apart: one event for all of them.
			const told = new Map(
				matching.map(({ base, token }) => [`${base} ${token}`, { path: path.slice(base.length), token }]),
			);
			this.events[index]?.push(...told.values());
		}
	}
}

/** Folders that a history begins with, made by domain 0. */
export function firstNodes({ domids }: HistoryShape): { path: string; permissions: string[] }[] {
	return [
		{ path: `/${HISTORY_ROOT}`, permissions: ["b0"] },
		...[0, ...domids].map((domid) => ({
			path: `/local/domain/${domid}/${HISTORY_ROOT}`,
			permissions: [`n${domid}`],
		})),
	];
}

function absolute({ domid }: ModelClient, path: string): string {
	return /^[/@]/.test(path) ? path : `/local/domain/${domid}/${path}`;
}

/** Of the nodes that it makes; undefined: it is inherited. */
function ownerOfNew({ domid }: ModelClient): number | undefined {
	return domid === 0 ? undefined : domid;
}

function getNode(view: ModelView, client: ModelClient, path: string, wanted: string): ModelNode {
	const node = findNode(view, client, path, wanted);
	if (!node) throw new Refused("ENOENT");
	return node;
}

/** Whoever may do nothing of the kind with what is above does not learn whether the node is there. */
function findNode(view: ModelView, client: ModelClient, path: string, wanted: string): ModelNode | undefined {
	if (!isGoodPath(path)) throw new Refused("EINVAL");
	const node = view.get(path);
	if (node && may(client, wanted, node.permissions)) return node;
	let above = parentPath(path);
	while (!view.get(above)) above = parentPath(above);
	const rights = rightsOf(client, view.get(above)?.permissions ?? []);
	if (node || !wanted.split("").some((letter) => rights.includes(letter))) throw new Refused("EACCES");
	return undefined;
}

function tellOfNode(view: ModelView, path: string, old?: ModelNode): void {
	// In a transaction a look at the node above would be one more that must not change.
	if (view instanceof ModelTransaction) view.changed(path, false);
	else view.changed(path, false, permissionLists([old, view.get(path), view.get(parentPath(path))]));
}
