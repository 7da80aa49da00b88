import type { Connection } from "./connection.ts";
import { parentOf } from "./node-path.ts";
import { ACCESS, accessFor, type Permissions, privatePermissions } from "./permissions.ts";
import type { RequestWeight } from "./request-weight.ts";
import type { NodeEvent, TreeView } from "./tree-view.ts";

export interface Watch {
	readonly client: Connection;
	/** Absolute, or a special name. */
	readonly path: string;
	readonly token: string;
	/** Events carry paths without these first characters: the client watches a relative path. */
	readonly hidden: number;
	readonly serial: number;
}

/** The special names that xenstored fires (docs/misc/xenstore.txt, WATCH). */
export const SPECIAL_EVENTS = ["@introduceDomain", "@releaseDomain"] as const;
export type SpecialEvent = (typeof SPECIAL_EVENTS)[number];

/** All watches, found by what they watch. */
export class WatchTable {
	readonly #byPath = new Map<string, Set<Watch>>();
	readonly #special = new Map<string, Permissions>(SPECIAL_EVENTS.map((name) => [name, privatePermissions(0)]));
	#lastSerial = 0;
	#count = 0;

	get size(): number {
		return this.#count;
	}

	add(client: Connection, path: string, token: string, hidden: number): Watch {
		const watch: Watch = { client, path, token, hidden, serial: ++this.#lastSerial };
		const others = this.#byPath.get(path);
		if (others) others.add(watch);
		else this.#byPath.set(path, new Set([watch]));
		this.#count++;
		return watch;
	}

	remove(watch: Watch): void {
		const all = this.#byPath.get(watch.path);
		if (!all?.delete(watch)) return;
		this.#count--;
		if (all.size === 0) this.#byPath.delete(watch.path);
	}

	/**
	 * Tells every client that watches the node, or something above it, and may know: once for each token, however many of
	 * its watches match.
	 */
	fire(event: NodeEvent, view: TreeView, weight: RequestWeight | undefined): void {
		const told = new Map<Connection, Set<string> | undefined>();
		for (const { client, hidden, token } of this.#matching(event)) {
			if (!told.has(client)) told.set(client, mayKnow(client, event, view) ? new Set() : undefined);
			const tokens = told.get(client);
			if (!tokens) continue;
			const path = relativePath(event.path, hidden);
			const key = `${path}\0${token}`;
			if (!tokens.has(key)) client.sendEvent(path, token, weight);
			tokens.add(key);
		}
	}

	fireSpecial(name: SpecialEvent): void {
		const permissions = this.#special.get(name) as Permissions;
		for (const { client, token } of this.#byPath.get(name) ?? [])
			if (accessFor(client, permissions) & ACCESS.read) client.sendEvent(name, token, undefined);
	}

	specialPermissions(name: string): Permissions | undefined {
		return this.#special.get(name);
	}

	setSpecialPermissions(name: string, permissions: Permissions): void {
		this.#special.set(name, permissions);
	}

	/** A domain is gone: its number may come back and must find nothing (remove_domid_from_perm). */
	forgetDomain(domid: number): void {
		for (const [name, [owner, ...others]] of this.#special) {
			const left = others.filter((entry) => entry.domid !== domid);
			this.#special.set(name, [owner.domid === domid ? { ...owner, domid: 0 } : owner, ...left]);
		}
	}

	/** In the order in which they were set up. */
	#matching({ path, isExact }: NodeEvent): Watch[] {
		const found = [...(this.#byPath.get(path) ?? [])];
		if (isExact) return found;
		let isMixed = false;
		for (let at = path; at !== "/"; ) {
			at = parentOf(at);
			const above = this.#byPath.get(at);
			if (!above) continue;
			isMixed ||= found.length > 0;
			found.push(...above);
		}
		return isMixed ? found.sort((a, b) => a.serial - b.serial) : found;
	}
}

/** watch_permitted: one must be able to read the node, as it is or was, or the one above it. */
function mayKnow(client: Connection, event: NodeEvent, view: TreeView): boolean {
	if (!client.isUnprivileged && (event.oldPermissions || event.node)) return true;
	const { path, oldPermissions } = event;
	if (oldPermissions && accessFor(client, oldPermissions) & ACCESS.read) return true;
	const node = event.node ?? view.find(path);
	if (!node) return false;
	if (accessFor(client, node.permissions) & ACCESS.read) return true;
	const parent = event.parent ?? view.find(parentOf(path));
	return parent !== undefined && (accessFor(client, parent.permissions) & ACCESS.read) !== 0;
}

export function relativePath(path: string, hidden: number): string {
	if (hidden === 0) return path;
	return path.charAt(hidden) === "/" ? path.slice(hidden + 1) : path.slice(hidden);
}
