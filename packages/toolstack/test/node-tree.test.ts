import { domId } from "@bulkhead/base";
import type { Permission, XenstoreValue } from "@bulkhead/xenstore";
import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { type NodeTree, writeNodes } from "../src/domain/node-tree.ts";
import { hidden, ownedBy, readableBy } from "../src/domain/permissions.ts";

const GUEST = domId(7);
const readable = readableBy(GUEST);
const owned = ownedBy(GUEST);

/** The two requests as xenstored carries them out: parents come along, new nodes take their parent's permissions. */
class TinyStore {
	readonly nodes = new Map<string, { value: XenstoreValue; permissions: readonly Permission[] }>();
	readonly requests: string[] = [];

	constructor(parent: string, permissions: readonly Permission[]) {
		this.nodes.set(parent, { value: "", permissions });
	}

	async write(path: string, value: XenstoreValue): Promise<void> {
		this.requests.push(`write ${path}`);
		this.#make(path).value = value;
	}

	async setPermissions(path: string, permissions: readonly Permission[]): Promise<void> {
		this.requests.push(`set ${path}`);
		const node = this.nodes.get(path);
		if (!node) throw new Error(`${path} is not there yet`);
		node.permissions = permissions;
	}

	#make(path: string): { value: XenstoreValue; permissions: readonly Permission[] } {
		const known = this.nodes.get(path);
		if (known) return known;
		const { permissions } = this.#make(path.slice(0, path.lastIndexOf("/")));
		const made = { value: "", permissions };
		this.nodes.set(path, made);
		return made;
	}
}

/** One request for each node and one more for its permissions: the meaning of a tree, without cleverness. */
async function writePlainly(store: TinyStore, path: string, tree: NodeTree | XenstoreValue): Promise<void> {
	if (typeof tree !== "object" || tree instanceof Uint8Array) return store.write(path, tree);
	await store.write(path, tree.value ?? "");
	if (tree.permissions) await store.setPermissions(path, tree.permissions);
	for (const [name, child] of Object.entries(tree.children ?? {})) await writePlainly(store, `${path}/${name}`, child);
}

const permissions = fc.option(fc.constantFrom(readable, owned, hidden), { nil: undefined });
const name = fc.constantFrom("a", "b", "c", "d", "e");
const { tree } = fc.letrec<{ tree: NodeTree }>((tie) => ({
	tree: fc.record(
		{
			value: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
			permissions,
			children: fc.dictionary(name, fc.oneof({ maxDepth: 3 }, fc.string({ maxLength: 3 }), tie("tree"))),
		},
		{ requiredKeys: [] },
	),
}));

describe("writeNodes", () => {
	test.prop([tree, fc.constantFrom(readable, hidden), fc.boolean()])(
		"leaves the same nodes as one request for each and one for its permissions, and never takes more",
		async (wanted, above, isKnown) => {
			const plain = new TinyStore("/top", above);
			const clever = new TinyStore("/top", above);
			await writePlainly(plain, "/top/node", wanted);
			await writeNodes(clever, "/top/node", wanted, isKnown ? above : undefined);
			expect(Object.fromEntries(clever.nodes)).toEqual(Object.fromEntries(plain.nodes));
			expect(clever.requests.length).toBeLessThanOrEqual(plain.requests.length);
		},
	);

	it("changes the parent's permissions instead of each child's", async () => {
		const store = new TinyStore("/d", readable);
		const children = { ro: "1", a: { permissions: owned }, b: { permissions: owned }, c: { permissions: owned } };
		await writeNodes(store, "/d/control", { children }, readable);
		expect(store.requests).toEqual([
			"write /d/control/ro",
			"set /d/control",
			"write /d/control/a",
			"write /d/control/b",
			"write /d/control/c",
			"set /d/control",
		]);
	});

	it("writes a frontend with what its domain may not change first", async () => {
		const store = new TinyStore("/d", readable);
		const children = { backend: { value: "/b", permissions: readable }, state: 1 };
		await writeNodes(store, "/d/vbd", { permissions: owned, children }, readable);
		expect(store.requests).toEqual(["write /d/vbd/backend", "set /d/vbd", "write /d/vbd/state"]);
	});
});
