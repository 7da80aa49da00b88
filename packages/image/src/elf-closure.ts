import { realpath } from "node:fs/promises";
import { join, posix } from "node:path";
import { BulkheadError } from "@bulkhead/base";
import { readElfDynamics } from "./elf.ts";
import { findRealPathInTree } from "./tree-path.ts";

/** A library for an image: `path` inside the image (merged /usr), `source` the file to copy there. */
export interface ClosureFile {
	path: string;
	source: string;
}

const LIBRARY_DIRS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/lib64"] as const;
const MERGED = /^\/(bin|sbin|lib|lib64)(?=\/|$)/;

/**
 * Every shared library and dynamic linker that the programs need, found by reading ELF headers and not by running
 * anything (`ldd` executes what it looks at).
 * @param programs paths of ELF files on this machine; others are ignored, so a whole list of files may be given
 * @param trees unpacked trees, searched in order; libraries keep the path at which the tree has them
 * @throws BulkheadError `library-not-found`
 */
export async function elfClosure(programs: readonly string[], trees: readonly string[]): Promise<ClosureFile[]> {
	const found = new Map<string, string>();
	const visited = new Set<string>();
	const queue = await Promise.all(programs.map(async (path) => ({ source: await realpath(path), origin: "" })));
	for (let next = queue.pop(); next; next = queue.pop()) {
		if (visited.has(next.source)) continue;
		visited.add(next.source);
		const dynamics = await readElfDynamics(next.source);
		if (!dynamics) continue;
		const origin = next.origin || imageDirOf(next.source, trees);
		const runpath = dynamics.runpath
			.map((dir) => dir.replace(/\$(ORIGIN|\{ORIGIN\})/g, origin))
			.filter((dir) => dir !== "");
		for (const name of [...dynamics.needed, ...(dynamics.interpreter ? [dynamics.interpreter] : [])]) {
			const candidates = name.startsWith("/") ? [name] : [...runpath, ...LIBRARY_DIRS].map((dir) => `${dir}/${name}`);
			const library = await firstIn(trees, candidates);
			if (!library) {
				throw new BulkheadError("library-not-found", `${next.source} needs ${name}, which no tree has`, {
					remedy: "Add the package that holds the library",
					fields: { program: next.source, library: name },
				});
			}
			// The same library may be reached by two names (the linker of /lib64): both must exist.
			found.set(library.path, library.source);
			queue.push({ source: library.source, origin: posix.dirname(library.path) });
		}
	}
	return [...found].map(([path, source]) => ({ path, source })).sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function firstIn(trees: readonly string[], candidates: readonly string[]): Promise<ClosureFile | undefined> {
	for (const tree of trees) {
		for (const candidate of candidates) {
			const path = posix.normalize(candidate).replace(MERGED, "/usr/$1");
			const real = await findRealPathInTree(tree, path);
			if (real) return { path, source: join(tree, real) };
		}
	}
	return undefined;
}

function imageDirOf(source: string, trees: readonly string[]): string {
	const tree = trees.find((each) => source.startsWith(each.endsWith("/") ? each : `${each}/`));
	return posix.dirname(tree === undefined ? source : join("/", source.slice(tree.length)));
}
