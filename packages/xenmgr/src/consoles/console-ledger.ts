import { readFile, rename, writeFile } from "node:fs/promises";
import { errnoOf, InvalidInputError, Mutex, type Uuid, uuid } from "@bulkhead/base";

/** Journals of other toolstacks' domains that are kept, those of running domains not counted: some 2 MiB each. */
const MOST_ENDED = 64;
const LONGEST_FILE = 1024 * 1024;

/**
 * Which domains of other toolstacks have left a journal, oldest first. Nobody says when such a domain will never come
 * back, so the journals of those that ended first are given up.
 */
export class ConsoleLedger {
	readonly #path: string;
	readonly #writing = new Mutex();
	#uuids: Uuid[];

	/** A list that is not there or makes no sense is an empty one: its journals stay until somebody removes them. */
	static async open(path: string): Promise<ConsoleLedger> {
		return new ConsoleLedger(path, await readList(path));
	}

	private constructor(path: string, uuids: Uuid[]) {
		this.#path = path;
		this.#uuids = uuids;
	}

	/** Notes a domain before it gets its journal. Answers whose journals are to be removed now. */
	async note(domain: Uuid, isLive: (domain: Uuid) => boolean): Promise<Uuid[]> {
		return this.#writing.run(async () => {
			const others = this.#uuids.filter((known) => known !== domain);
			const ended = others.filter((known) => !isLive(known));
			const given = new Set(ended.slice(0, Math.max(0, ended.length - MOST_ENDED)));
			this.#uuids = [...others.filter((known) => !given.has(known)), domain];
			const temporary = `${this.#path}.new`;
			await writeFile(temporary, `${JSON.stringify(this.#uuids)}\n`, { mode: 0o600 });
			await rename(temporary, this.#path);
			return [...given];
		});
	}
}

async function readList(path: string): Promise<Uuid[]> {
	try {
		const text = await readFile(path, "utf8");
		if (text.length > LONGEST_FILE) return [];
		const value: unknown = JSON.parse(text);
		return Array.isArray(value) ? value.map((each) => uuid(String(each))) : [];
	} catch (error) {
		if (errnoOf(error) === "ENOENT" || error instanceof SyntaxError || error instanceof InvalidInputError) return [];
		throw error;
	}
}
