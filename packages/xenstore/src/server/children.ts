/** Above this the joined list is kept, since DIRECTORY_PART asks for it piece by piece. Bytes. */
const LARGE_LIST = 4096;

/**
 * Names of a node's children in the order of their making. Large directories are changed in place, as long as no
 * transaction holds the same list: `share` says that one does, and the next change makes a copy.
 */
export class Children {
	static readonly none: Children = new Children(new Set(), [], 0).share();
	readonly #names: Set<string>;
	/**
	 * Names behind those, from the first on that was there already: a transaction may have copied a list with a name
	 * whose node has gone meanwhile, and make it again. Its end fails, but until then xenstored shows the name twice.
	 */
	readonly #repeated: string[];
	#byteLength: number;
	#isShared = false;
	#list: string | undefined;

	static of(name: string): Children {
		return new Children(new Set([name]), [], name.length + 1);
	}

	private constructor(names: Set<string>, repeated: string[], byteLength: number) {
		this.#names = names;
		this.#repeated = repeated;
		this.#byteLength = byteLength;
	}

	/** Of the list as it is sent: each name with its NUL. */
	get byteLength(): number {
		return this.#byteLength;
	}

	*[Symbol.iterator](): Generator<string> {
		yield* this.#names;
		yield* this.#repeated;
	}

	/** From now on this object stays as it is. */
	share(): this {
		this.#isShared = true;
		return this;
	}

	has(name: string): boolean {
		return this.#names.has(name) || this.#repeated.includes(name);
	}

	with(name: string): Children {
		const own = this.#own();
		if (own.#repeated.length > 0 || own.#names.has(name)) own.#repeated.push(name);
		else own.#names.add(name);
		own.#byteLength += name.length + 1;
		return own;
	}

	/** The name must be there; once, if it is there twice. */
	without(name: string): Children {
		const own = this.#own();
		if (!own.#names.delete(name)) own.#repeated.splice(own.#repeated.indexOf(name), 1);
		own.#byteLength -= name.length + 1;
		return own;
	}

	/** The names, each followed by a NUL. */
	toList(): string {
		if (this.#list !== undefined) return this.#list;
		let list = "";
		for (const name of this) list += `${name}\0`;
		if (list.length > LARGE_LIST) this.#list = list;
		return list;
	}

	#own(): Children {
		if (this.#isShared) return new Children(new Set(this.#names), [...this.#repeated], this.#byteLength);
		this.#list = undefined;
		return this;
	}
}
