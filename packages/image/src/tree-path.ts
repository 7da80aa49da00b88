import { lstat, readlink } from "node:fs/promises";
import { join, posix } from "node:path";

/** As many as Linux follows before ELOOP. */
const MAX_LINKS = 40;

/**
 * The real path, inside an unpacked tree, of a path inside it: links are followed as if the tree were the root, so
 * that an absolute link never leads into the machine's own files.
 * @returns undefined when there is nothing
 */
export async function findRealPathInTree(tree: string, path: string): Promise<string | undefined> {
	let pending = posix.normalize(path).split("/").filter(Boolean);
	let at = "/";
	for (let links = 0; pending.length > 0; ) {
		const [name = "", ...rest] = pending;
		pending = rest;
		if (name === "..") {
			at = posix.dirname(at);
			continue;
		}
		const next = posix.join(at, name);
		const stats = await lstat(join(tree, next)).catch(() => undefined);
		if (!stats) return undefined;
		if (!stats.isSymbolicLink()) {
			at = next;
			continue;
		}
		if (++links > MAX_LINKS) return undefined;
		const target = await readlink(join(tree, next));
		if (target.startsWith("/")) at = "/";
		pending = [...target.split("/").filter((part) => part !== "" && part !== "."), ...pending];
	}
	return at;
}
