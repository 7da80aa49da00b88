import { type Uuid, uuid } from "@bulkhead/base";
import { type ParsedGuest, type ParseGuestOptions, parseGuestConfig, XlCfgError } from "../src/index.ts";

export const ID: Uuid = uuid("00112233-4455-6677-8899-aabbccddeeff");

export const MAC = "00:16:3e:01:02:03";

export const HVM = 'name = "web"\ntype = "hvm"\nmemory = 256\n';
export const PV = 'name = "db"\ntype = "pv"\nmemory = 64\nkernel = "/k"\n';

export function parse(text: string, options: Partial<ParseGuestOptions> = {}): ParsedGuest {
	return parseGuestConfig(text, {
		file: "g.cfg",
		baseDir: "/base",
		makeUuid: () => ID,
		makeMac: () => MAC,
		...options,
	});
}

/** The problems that a text has, each with its place. */
export function problemsOf(text: string, options: Partial<ParseGuestOptions> = {}): string[] {
	try {
		parse(text, options);
	} catch (error) {
		if (!(error instanceof XlCfgError)) throw error;
		return error.problems.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`);
	}
	return [];
}
