/** Above this the joined list is kept, since DIRECTORY_PART asks for it piece by piece. Bytes. */
const LARGE_LIST = 4096;

/**
 * Names of a node's children in the order of their making. Large directories are changed in place, as long as no
 * transaction holds the same list: `share` says that one does, and the next change makes a copy.
 */
export class Children {
	static readonly none: Children = new Children(new Set(), 0).share();
	readonly #names: Set<string>;
	#byteLength: number;
	#isShared = false;
	#list: string | undefined;

	static of(name: string): Children {
		return new Children(new Set([name]), name.length + 1);
	}

	private constructor(names: Set<string>, byteLength: number) {
		this.#names = names;
		this.#byteLength = byteLength;
	}

	/** Of the list as it is sent: each name with its NUL. */
	get byteLength(): number {
		return this.#byteLength;
	}

	[Symbol.iterator](): Iterator<string> {
		return this.#names.values();
	}

	/** From now on this object stays as it is. */
	share(): this {
		this.#isShared = true;
		return this;
	}

	has(name: string): boolean {
		return this.#names.has(name);
	}

	with(name: string): Children {
		const own = this.#own();
		own.#names.add(name);
		own.#byteLength += name.length + 1;
		return own;
	}

	without(name: string): Children {
		if (!this.#names.has(name)) return this;
		const own = this.#own();
		own.#names.delete(name);
		own.#byteLength -= name.length + 1;
		return own;
	}

	/** The names, each followed by a NUL. */
	toList(): string {
		if (this.#list !== undefined) return this.#list;
		let list = "";
		for (const name of this.#names) list += `${name}\0`;
		if (list.length > LARGE_LIST) this.#list = list;
		return list;
	}

	#own(): Children {
		if (this.#isShared) return new Children(new Set(this.#names), this.#byteLength);
		this.#list = undefined;
		return this;
	}
}
