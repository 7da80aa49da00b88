import { readFile } from "node:fs/promises";
import { InvalidInputError } from "@bulkhead/base";

const FILES = { owner: "/etc/passwd", group: "/etc/group" } as const;

/** The number of a user or group by name, or as it stands. Both files begin a line NAME:PASSWORD:NUMBER. @throws InvalidInputError */
export async function idOf(kind: keyof typeof FILES, name: string | undefined, fallback: number): Promise<number> {
	if (name === undefined) return fallback;
	if (/^\d+$/.test(name)) return Number(name);
	for (const line of (await readFile(FILES[kind], "utf8")).split("\n")) {
		const [found, , number] = line.split(":");
		if (found === name && number !== undefined && /^\d+$/.test(number)) return Number(number);
	}
	throw new InvalidInputError(
		`There is no ${kind === "owner" ? "user" : "group"} ${JSON.stringify(name)} for a channel's socket`,
		{ remedy: "Make it, or name another", fields: { [kind]: name } },
		"channel-unusable",
	);
}
