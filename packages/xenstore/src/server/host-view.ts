import { InvalidInputError } from "@bulkhead/base";
import { formatPermissions, type Permission } from "../permission.ts";
import { Connection } from "./connection.ts";
import { LiveView } from "./live-view.ts";
import { isNodePath, parentOf } from "./node-path.ts";
import { changeNode, createNode, type Looker, removeTree } from "./nodes.ts";
import { type Permissions, parsePermission } from "./permissions.ts";
import type { Xenstored } from "./xenstored.ts";

/**
 * The tree as the host of the server sees and changes it, without a connection: for simulators and tests. Changes have
 * their events, like a client's.
 */
export class HostView {
	readonly #xenstored: Xenstored;
	readonly #looker: Looker;

	constructor(xenstored: Xenstored) {
		this.#xenstored = xenstored;
		const client = new Connection(xenstored.domains.ensure(0), false, xenstored);
		this.#looker = { client, view: new LiveView(xenstored, client), pathLimit: xenstored.quotas["path-max"] };
	}

	/** As UTF-8 text. */
	find(path: string): string | undefined {
		const node = this.#xenstored.tree.get(this.#checked(path));
		return node && Buffer.from(node.value, "latin1").toString("utf8");
	}

	/** Names of the children. */
	findList(path: string): string[] | undefined {
		const node = this.#xenstored.tree.get(this.#checked(path));
		return node && [...node.children];
	}

	/** Makes the node, and what is missing above it. @throws InvalidInputError */
	write(path: string, value: string | Uint8Array, permissions?: readonly Permission[]): void {
		const bytes = Buffer.from(value).toString("latin1");
		const { view } = this.#looker;
		const node = view.find(this.#checked(path));
		if (node) {
			changeNode(this.#looker, path, { permissions: node.permissions, value: bytes, children: node.children });
			view.fire({ path, isExact: false, node });
		} else {
			createNode(this.#looker, path, bytes);
		}
		if (permissions) this.#setPermissions(path, permissions);
	}

	/** With all below it. A missing node is fine. @throws InvalidInputError for the root */
	remove(path: string): void {
		if (path === "/") throw new InvalidInputError("The root cannot be removed");
		const { view } = this.#looker;
		if (view.find(this.#checked(path)) && view.find(parentOf(path))) removeTree(view, path);
	}

	/** Every path with its value as UTF-8, sorted: for comparing. */
	toJSON(): Record<string, string> {
		const values = [...this.#xenstored.tree.entries()].map(([path, { value }]) => [
			path,
			Buffer.from(value, "latin1").toString("utf8"),
		]);
		return Object.fromEntries(values.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1)));
	}

	#setPermissions(path: string, list: readonly Permission[]): void {
		const { view } = this.#looker;
		const node = view.find(path);
		if (!node) return;
		const parsed = formatPermissions(list).map((text) => parsePermission(text)) as unknown as Permissions;
		const permissions = this.#xenstored.domains.markStrangers(parsed);
		if (permissions[0].isIgnored)
			throw new InvalidInputError(`Domain ${permissions[0].domid} does not exist: it cannot own ${path}`);
		const { value, children, permissions: oldPermissions } = node;
		changeNode(this.#looker, path, { permissions, value, children });
		view.fire({ path, isExact: false, node: { permissions, value, children }, oldPermissions });
	}

	#checked(path: string): string {
		if (!isNodePath(path, this.#looker.pathLimit)) throw new InvalidInputError(`Text ${path} is not an absolute path`);
		return path;
	}
}
