import { createHash, randomBytes } from "node:crypto";
import { access, mkdir, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { InvalidInputError } from "@bulkhead/base";
import { cacheRoot } from "./cache-root.ts";
import { FileLock } from "./file-lock.ts";

/** Everything that decides what a build yields. Same inputs, same key. */
export type CacheInputs = Readonly<Record<string, string | number>>;

/** Builds are waited for this long when another process is busy with the same key. */
const BUILD_WAIT_MS = 60 * 60_000;
const MARKER = ".inputs.json";
const BUILDING = ".building-";

/**
 * Folders named after the sha256 of what went into them. A folder appears complete or not at all: it is built beside
 * its place and renamed. Two processes that want the same key build it once.
 */
export class ContentCache {
	readonly root: string;

	constructor(root: string = cacheRoot()) {
		this.root = root;
	}

	/** The folder for these inputs, whether or not it exists yet. */
	pathFor(kind: string, inputs: CacheInputs): string {
		return join(this.root, checkedKind(kind), keyOf(inputs));
	}

	/** The finished folder for these inputs, if some earlier call built it. */
	async find(kind: string, inputs: CacheInputs): Promise<string | undefined> {
		const dir = this.pathFor(kind, inputs);
		try {
			await access(join(dir, MARKER));
			// The folder's time tells a person (or a clean-up) when it was last of use; a read-only cache is still a cache.
			const now = new Date();
			await utimes(dir, now, now).catch(() => {});
			return dir;
		} catch {
			return undefined;
		}
	}

	/**
	 * Returns the folder for these inputs, calling `build` with an empty folder to fill when there is none.
	 * A build that throws leaves nothing behind; what a killed one left is removed by the next that builds the same.
	 * The signal ends the wait for another process that builds it; `build` sees to itself.
	 */
	async cached(
		kind: string,
		inputs: CacheInputs,
		build: (dir: string) => Promise<void>,
		signal?: AbortSignal,
	): Promise<string> {
		const found = await this.find(kind, inputs);
		if (found) return found;
		const dir = this.pathFor(kind, inputs);
		await mkdir(join(this.root, kind), { recursive: true });
		await using _lock = await FileLock.acquire(`${dir}.lock`, { timeoutMs: BUILD_WAIT_MS, signal });
		const builtMeanwhile = await this.find(kind, inputs);
		if (builtMeanwhile) return builtMeanwhile;
		await removeLeftovers(dir);
		const temporary = `${dir}${BUILDING}${randomBytes(4).toString("hex")}`;
		try {
			await mkdir(temporary);
			await build(temporary);
			await writeFile(join(temporary, MARKER), `${JSON.stringify(sorted(inputs), undefined, "\t")}\n`);
			await rm(dir, { recursive: true, force: true });
			await rename(temporary, dir);
		} finally {
			await rm(temporary, { recursive: true, force: true });
		}
		return dir;
	}
}

/** The caller holds the lock, so nobody builds there any more. */
async function removeLeftovers(dir: string): Promise<void> {
	const parent = join(dir, "..");
	for (const name of await readdir(parent))
		if (name.startsWith(`${basename(dir)}${BUILDING}`)) await rm(join(parent, name), { recursive: true, force: true });
}

function keyOf(inputs: CacheInputs): string {
	return createHash("sha256")
		.update(JSON.stringify(sorted(inputs)))
		.digest("hex")
		.slice(0, 40);
}

function sorted(inputs: CacheInputs): CacheInputs {
	return Object.fromEntries(Object.entries(inputs).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function checkedKind(kind: string): string {
	if (!/^[a-z][a-z0-9-]*$/.test(kind))
		throw new InvalidInputError(`Cache kind ${JSON.stringify(kind)} is not kebab-case`);
	return kind;
}
