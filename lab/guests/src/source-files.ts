import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The path of a file of this folder's own (assembler, scripts, configs), by its path below lab/guests. */
export function sourcePath(path: string): string {
	return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

export function readSource(path: string): Promise<string> {
	return readFile(sourcePath(path), "utf8");
}
