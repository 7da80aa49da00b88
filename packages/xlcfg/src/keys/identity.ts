import { type Uuid, uuid } from "@bulkhead/base";
import type { GuestType } from "../guest-config.ts";
import { guestNameProblem } from "../guest-name.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import type { ConfigReader } from "./config-reader.ts";

const TYPE_OF_BUILDER = { hvm: "hvm", generic: "pv" } as const;

export function readType(reader: ConfigReader): GuestType {
	const type = reader.word("type", ["hvm", "pvh", "pv"]);
	const builder = reader.word("builder", ["hvm", "generic"]);
	if (builder === undefined) return type ?? "pv";
	const meant = TYPE_OF_BUILDER[builder];
	if (type !== undefined && type !== meant)
		reader.refuse("builder", `Keys builder and type contradict each other`, { remedy: "Remove builder" });
	else reader.warn("builder", `Key builder is deprecated: write type = "${meant}"`);
	return type ?? meant;
}

export function readName(reader: ConfigReader): string | undefined {
	const name = reader.string("name");
	if (name === undefined) {
		if (!reader.has("name")) reader.refuse("name", "The guest has no name", { remedy: 'Add name = "…"' });
		return undefined;
	}
	const problem = guestNameProblem(name);
	if (problem === undefined) return name;
	reader.refuse("name", problem, {
		remedy: `Use 1 to ${XLCFG_LIMITS.nameLength} letters, digits, dots, dashes and underscores`,
	});
	return undefined;
}

export function readUuid(reader: ConfigReader, makeUuid: () => Uuid): Uuid | undefined {
	if (!reader.has("uuid")) return makeUuid();
	const text = reader.string("uuid");
	return text === undefined ? undefined : reader.attempt("uuid", () => uuid(text));
}
