/** SchemaInfo (qapi/introspect.json): type names are numbers, which mean nothing beyond one answer. */
export type SchemaEntry =
	| { "meta-type": "builtin"; name: string; "json-type": string }
	| { "meta-type": "enum"; name: string; values: string[] }
	| { "meta-type": "array"; name: string; "element-type": string }
	| {
			"meta-type": "object";
			name: string;
			members: Member[];
			tag?: string;
			variants?: { case: string; type: string }[];
	  }
	| { "meta-type": "alternate"; name: string; members: { type: string }[] }
	| { "meta-type": "command"; name: string; "arg-type": string; "ret-type": string; "allow-oob"?: boolean }
	| { "meta-type": "event"; name: string; "arg-type": string };

interface Member {
	name: string;
	type: string;
	/** There when the member is optional. */
	default?: unknown;
}

export interface ObjectShape {
	members: { name: string; type: string; optional: boolean }[];
	tag?: string;
	/** Value of the tag → object. */
	variants?: Map<string, string>;
}

/** The types that chosen commands and all events reach, under names made of the way to them. */
export class QmpShapes {
	readonly commands: Map<string, { args: string; result: string; oob: boolean }> = new Map();
	readonly events: Map<string, string> = new Map();
	readonly objects: Map<string, ObjectShape> = new Map();
	readonly enums: Map<string, string[]> = new Map();
	readonly alternates: Map<string, string[]> = new Map();
	readonly #entries: Map<string, SchemaEntry>;
	readonly #names = new Map<string, string>();

	constructor(schema: readonly SchemaEntry[], commands: readonly string[]) {
		this.#entries = new Map(schema.map((entry) => [entry.name, entry]));
		for (const name of commands) {
			const entry = this.#entries.get(name);
			if (entry?.["meta-type"] !== "command") continue;
			this.commands.set(name, {
				result: this.#name(entry["ret-type"], `${pascal(name)}Result`),
				args: this.#name(entry["arg-type"], `${pascal(name)}Arguments`),
				oob: entry["allow-oob"] ?? false,
			});
		}
		for (const entry of schema)
			if (entry["meta-type"] === "event")
				this.events.set(entry.name, this.#name(entry["arg-type"], `${pascal(entry.name.toLowerCase())}Event`));
	}

	/** What another QEMU does not always have is optional. */
	relaxBy(other: QmpShapes): void {
		for (const [name, { members }] of this.objects) {
			const others = other.objects.get(name);
			if (!others) continue;
			const always = new Set(others.members.filter(({ optional }) => !optional).map((member) => member.name));
			for (const member of members) member.optional ||= !always.has(member.name);
		}
	}

	/** "str", "[]X" for arrays, or a name of one of the tables. */
	#name(type: string, wanted: string): string {
		const entry = this.#entries.get(type);
		if (entry?.["meta-type"] === "array") return `[]${this.#name(entry["element-type"], `${wanted}Item`)}`;
		if (entry?.["meta-type"] === "builtin") return type;
		const known = this.#names.get(type);
		if (known !== undefined) return known;
		if (entry?.["meta-type"] === "object" && entry.members.length === 0 && !entry.variants) return "nothing";
		this.#names.set(type, wanted);
		if (entry?.["meta-type"] === "enum") this.enums.set(wanted, entry.values);
		else if (entry?.["meta-type"] === "object") this.#addObject(wanted, entry);
		else if (entry?.["meta-type"] === "alternate")
			this.alternates.set(
				wanted,
				entry.members.map((member, index) => this.#name(member.type, `${wanted}Way${index}`)),
			);
		else throw new TypeError(`Schema has no type ${type}`);
		return wanted;
	}

	#addObject(name: string, entry: Extract<SchemaEntry, { "meta-type": "object" }>): void {
		const shape: ObjectShape = { members: [] };
		this.objects.set(name, shape);
		shape.members = entry.members.map((member) => ({
			name: member.name,
			type: this.#name(member.type, `${name}${pascal(member.name)}`),
			optional: "default" in member,
		}));
		if (entry.tag === undefined || !entry.variants) return;
		shape.tag = entry.tag;
		shape.variants = new Map(
			entry.variants.map(({ case: value, type }) => [value, this.#name(type, `${name}Of${pascal(value)}`)]),
		);
	}
}

function pascal(text: string): string {
	return text.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, first: string) => first.toUpperCase());
}
