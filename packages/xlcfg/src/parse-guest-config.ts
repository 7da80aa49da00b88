import { BulkheadError, randomUuid, type Uuid } from "@bulkhead/base";
import type { GuestConfig } from "./guest-config.ts";
import { ConfigReader } from "./keys/config-reader.ts";
import { readGuest } from "./keys/read-guest.ts";
import { XLCFG_LIMITS } from "./limits.ts";
import { ProblemList } from "./problems/problem-list.ts";
import { describeProblem, XlCfgError, type XlCfgProblem } from "./problems/xlcfg-error.ts";
import { makeRandomMac } from "./specs/mac.ts";
import { mergeAssignments } from "./text/merge-assignments.ts";
import { parseOverride } from "./text/parse-override.ts";
import { collectAssignments } from "./text/parse-tree.ts";

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
	/** For a network interface without an address. */
	makeMac?: () => string;
}

export interface ParsedGuest {
	config: GuestConfig;
	/** "file:line:column: sentence" each. */
	warnings: string[];
}

export interface CheckedGuest {
	/** Undefined when there are problems. */
	config: GuestConfig | undefined;
	problems: readonly XlCfgProblem[];
	warnings: readonly XlCfgProblem[];
}

/**
 * Reads a guest's xl.cfg text into a checked config.
 * @throws XlCfgError with everything wrong found, up to a bound
 */
export function parseGuestConfig(text: string, options: ParseGuestOptions): ParsedGuest {
	const { config, problems, warnings } = checkGuestConfig(text, options);
	const [first, ...rest] = problems;
	if (first) throw new XlCfgError([first, ...rest]);
	if (!config) throw new BulkheadError("internal", "A config without problems gave no guest");
	return { config, warnings: warnings.map(describeProblem) };
}

/**
 * As parseGuestConfig, but answers what is wrong, and what is worth saying although there is something wrong.
 * @throws XlCfgError, code "guest-config-too-large", when the text is not even looked at
 */
export function checkGuestConfig(text: string, options: ParseGuestOptions): CheckedGuest {
	const { file, overrides = [], baseDir, limitBytes = XLCFG_LIMITS.textBytes } = options;
	const { makeUuid = randomUuid, makeMac = makeRandomMac } = options;
	checkSize(file, [text, ...overrides], limitBytes);
	const problems = new ProblemList();
	const warnings = new ProblemList(XLCFG_LIMITS.warnings);
	const assignments = collectAssignments(text, file, problems);
	for (const override of overrides) {
		const assignment = parseOverride(override, problems);
		if (assignment) assignments.push(assignment);
	}
	if (problems.all.length > 0) return { config: undefined, problems: problems.all, warnings: [] };
	const values = mergeAssignments(assignments, problems, warnings);
	const reader = new ConfigReader(values, { problems, warnings, file });
	const config = readGuest(reader, { baseDir, makeUuid, makeMac });
	return {
		config: problems.all.length === 0 ? config : undefined,
		problems: problems.all,
		warnings: warnings.all,
	};
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
