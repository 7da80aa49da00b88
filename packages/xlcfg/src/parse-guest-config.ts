import { BulkheadError, randomUuid, type Uuid } from "@bulkhead/base";
import { ConfigReader } from "./config-reader.ts";
import type { GuestConfig } from "./guest-config.ts";
import { XLCFG_LIMITS } from "./limits.ts";
import { mergeAssignments } from "./merge-assignments.ts";
import { parseOverride } from "./parse-override.ts";
import { collectAssignments } from "./parse-tree.ts";
import { ProblemList } from "./problem-list.ts";
import { readGuest } from "./read-guest.ts";
import { XlCfgError } from "./xlcfg-error.ts";

export interface ParseGuestOptions {
	/** The file's name, for messages only. */
	file: string;
	/** "key=value" from the command line, each as if appended to the file. */
	overrides?: readonly string[];
	/** Absolute; relative paths of the config start here. */
	baseDir: string;
	/** Of the text and all overrides; 1 MiB unless told. */
	limitBytes?: number;
	/** For a config without a uuid. */
	makeUuid?: () => Uuid;
}

export interface ParsedGuest {
	config: GuestConfig;
	/** "file:line:column: sentence" each. */
	warnings: string[];
}

/**
 * Reads a guest's xl.cfg text into a checked config.
 * @throws XlCfgError with everything wrong found, up to a bound
 */
export function parseGuestConfig(text: string, options: ParseGuestOptions): ParsedGuest {
	const { file, overrides = [], baseDir, limitBytes = XLCFG_LIMITS.textBytes, makeUuid = randomUuid } = options;
	checkSize(file, [text, ...overrides], limitBytes);
	const problems = new ProblemList();
	const assignments = collectAssignments(text, file, problems);
	for (const override of overrides) {
		const assignment = parseOverride(override, problems);
		if (assignment) assignments.push(assignment);
	}
	problems.throwIfAny();
	const reader = new ConfigReader(mergeAssignments(assignments, problems), problems, file);
	const config = readGuest(reader, { baseDir, makeUuid });
	problems.throwIfAny();
	if (!config) throw new BulkheadError("internal", "A config without problems gave no guest");
	return { config, warnings: reader.warnings };
}

function checkSize(file: string, texts: readonly string[], limitBytes: number): void {
	let bytes = 0;
	for (const text of texts) bytes += Buffer.byteLength(text);
	if (bytes <= limitBytes) return;
	const problem = {
		file,
		line: 1,
		column: 1,
		message: `The config has ${bytes} bytes and the limit is ${limitBytes}`,
		remedy: "Check that this is a guest's config file",
	};
	throw new XlCfgError([problem], "guest-config-too-large");
}
