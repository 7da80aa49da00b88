import { constants } from "node:fs";
import { open, readdir, readFile, readlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { errnoOf } from "@bulkhead/base";
import { HypervisorError } from "../errors.ts";
import type { Sysfs } from "../ports/sysfs.ts";

/** The kernel's own. */
export class NativeSysfs implements Sysfs {
	readonly #root: string;

	constructor(root = "/sys") {
		this.#root = root;
	}

	read(path: string): Promise<string | undefined> {
		return this.#find(path, (file) => readFile(file, "latin1"));
	}

	list(path: string): Promise<string[] | undefined> {
		return this.#find(path, (folder) => readdir(folder));
	}

	linkedName(path: string): Promise<string | undefined> {
		return this.#find(path, async (link) => basename(await readlink(link)));
	}

	async write(path: string, text: string): Promise<void> {
		try {
			const file = await open(join(this.#root, path), constants.O_WRONLY);
			try {
				await file.write(text);
			} finally {
				await file.close();
			}
		} catch (cause) {
			throw failure(path, cause);
		}
	}

	async #find<T>(path: string, look: (whole: string) => Promise<T>): Promise<T | undefined> {
		try {
			return await look(join(this.#root, path));
		} catch (cause) {
			if (errnoOf(cause) === "ENOENT") return undefined;
			throw failure(path, cause);
		}
	}
}

const failure = (path: string, cause: unknown): HypervisorError =>
	new HypervisorError(`The kernel did not take ${path}`, { errno: errnoOf(cause) ?? "EIO", cause, fields: { path } });
