import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";

/** sha256 of a file's bytes, in hex: an input for the cache. */
export async function hashFile(path: string): Promise<string> {
	const hash = createHash("sha256");
	await pipeline(createReadStream(path), hash);
	return hash.digest("hex");
}

/** sha256 over the names and bytes of all regular files below some folders and of single files, in hex. */
export async function hashTree(paths: readonly string[]): Promise<string> {
	const hash = createHash("sha256");
	for (const path of paths) {
		for (const file of await filesBelow(path)) hash.update(`${relative(path, file)}\0${await hashFile(file)}\n`);
	}
	return hash.digest("hex");
}

async function filesBelow(path: string): Promise<string[]> {
	const found: string[] = [];
	const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOTDIR") return undefined;
		throw error;
	});
	if (!entries) return [path];
	for (const entry of entries) {
		const child = join(path, entry.name);
		if (entry.isDirectory()) found.push(...(await filesBelow(child)));
		else if (entry.isFile()) found.push(child);
	}
	return found.sort();
}
