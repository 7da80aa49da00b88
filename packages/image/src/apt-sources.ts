import { InvalidInputError } from "@bulkhead/base";

/** One enabled archive of a machine's apt configuration: sources.list(5). */
export interface AptSource {
	uris: string[];
	suites: string[];
	components: string[];
	/** Path of the key file, when the source names one. */
	signedBy?: string;
}

/** Reads the one-line style of sources.list(5); lines of other types (`deb-src`) and comments are left out. */
export function parseSourcesList(text: string): AptSource[] {
	const sources: AptSource[] = [];
	for (const raw of text.split("\n")) {
		const line = raw.replace(/#.*/, "").trim();
		const match = line.match(/^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)$/);
		if (!match) continue;
		const [, options = "", uri = "", suite = "", components = ""] = match;
		const signedBy = options.match(/(?:^|\s)signed-by=(\S+)/)?.[1];
		sources.push({ uris: [uri], suites: [suite], components: words(components), ...(signedBy ? { signedBy } : {}) });
	}
	return sources;
}

/** Reads the deb822 style of sources.list(5). An embedded key block is not a path and is treated as no `Signed-By`. */
export function parseDeb822Sources(text: string): AptSource[] {
	const sources: AptSource[] = [];
	for (const stanza of text.replace(/^#.*\n?/gm, "").split(/\n\s*\n/)) {
		const fields = new Map<string, string>();
		let last = "";
		for (const line of stanza.split("\n")) {
			const field = line.match(/^([A-Za-z0-9-]+):\s*(.*)$/);
			if (field) {
				last = (field[1] ?? "").toLowerCase();
				fields.set(last, (field[2] ?? "").trim());
			} else if (/^\s/.test(line) && last) fields.set(last, `${fields.get(last)}\n${line.trim()}`.trim());
		}
		if (!words(fields.get("types")).includes("deb") || /^(no|false)$/i.test(fields.get("enabled") ?? "")) continue;
		const key = fields.get("signed-by");
		sources.push({
			uris: words(fields.get("uris")),
			suites: words(fields.get("suites")),
			components: words(fields.get("components")),
			...(key?.startsWith("/") && !key.includes("\n") ? { signedBy: key } : {}),
		});
	}
	return sources;
}

/**
 * The sources of Debian itself for another release: same mirrors, keys and components, suite names swapped.
 * Third-party archives (other suites, no `main`, or signed by a key that is not Debian's) are left out.
 * @throws InvalidInputError when nothing of Debian remains
 */
export function sourcesForRelease(sources: readonly AptSource[], machine: string, wanted: string): AptSource[] {
	const chosen: AptSource[] = [];
	for (const source of sources) {
		const suites = source.suites
			.map((suite) => suite.replace(/\/$/, ""))
			.filter((suite) => [machine, `${machine}-updates`, `${machine}-security`].includes(suite))
			.map((suite) => wanted + suite.slice(machine.length));
		const foreignKey = source.signedBy !== undefined && !/\/debian-archive-[^/]*$/.test(source.signedBy);
		if (suites.length === 0 || !source.components.includes("main") || foreignKey) continue;
		chosen.push({ ...source, suites, components: ["main"] });
	}
	if (!chosen.some(({ suites }) => suites.includes(wanted))) {
		throw new InvalidInputError(`The machine's apt sources name no Debian archive for ${machine}`, {
			remedy: "Enable Debian's own archive in the machine's apt sources",
		});
	}
	return chosen;
}

/** The sources as a sources.list(5) text of one-line entries. */
export function renderSourcesList(sources: readonly AptSource[]): string {
	const lines = sources.flatMap(({ uris, suites, components, signedBy }) =>
		uris.flatMap((uri) =>
			suites.map((suite) => `deb ${signedBy ? `[signed-by=${signedBy}] ` : ""}${uri} ${suite} ${components.join(" ")}`),
		),
	);
	return `${[...new Set(lines)].join("\n")}\n`;
}

function words(text = ""): string[] {
	return text.split(/\s+/).filter((word) => word !== "");
}
