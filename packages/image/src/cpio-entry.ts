import { lstat, readdir, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { InvalidInputError } from "@bulkhead/base";

/** One member of an archive. `path` may begin with a slash; `mode` holds permission bits only. */
export type CpioEntry =
	| { type: "directory"; path: string; mode?: number }
	| { type: "file"; path: string; mode?: number; content: Uint8Array | string | { readonly file: string } }
	| { type: "symlink"; path: string; target: string }
	| { type: "character-device" | "block-device"; path: string; mode?: number; major: number; minor: number };

/** A path as archives hold it: relative, normal, never upwards. */
export function archivePath(path: string): string {
	const normal = posix.normalize(path).replace(/^\/+/, "").replace(/\/+$/, "");
	if (normal === "" || normal === "." || normal.split("/").includes("..") || normal.includes("\0")) {
		throw new InvalidInputError(`${JSON.stringify(path)} is no path inside an archive`);
	}
	return normal;
}

/**
 * The folders that the entries need and nobody listed. A parent that is listed as a symlink (merged /usr) is kept as
 * it is, so list files by their real path.
 */
export function missingParents(entries: readonly CpioEntry[]): CpioEntry[] {
	const known = new Set(entries.map(({ path }) => archivePath(path)));
	const added: CpioEntry[] = [];
	for (const { path } of entries) {
		for (let dir = posix.dirname(archivePath(path)); dir !== "."; dir = posix.dirname(dir)) {
			if (known.has(dir)) continue;
			known.add(dir);
			added.push({ type: "directory", path: dir });
		}
	}
	return added;
}

/**
 * Entries for what lies at `path` inside an unpacked tree: a file, a link, or a folder with everything below.
 * @param at where it goes in the archive; its place in the tree unless told
 */
export async function entriesFromTree(tree: string, path: string, at: string = path): Promise<CpioEntry[]> {
	const source = join(tree, path);
	const stats = await lstat(source);
	if (stats.isSymbolicLink()) return [{ type: "symlink", path: at, target: await readlink(source) }];
	if (stats.isFile()) return [{ type: "file", path: at, mode: stats.mode & 0o7777, content: { file: source } }];
	if (!stats.isDirectory()) return [];
	const below: CpioEntry[] = [{ type: "directory", path: at, mode: stats.mode & 0o7777 }];
	for (const name of (await readdir(source)).sort()) {
		below.push(...(await entriesFromTree(tree, join(path, name), join(at, name))));
	}
	return below;
}
