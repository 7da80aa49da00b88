import { serializeError } from "@bulkhead/base";
import {
	checkGuestConfig,
	describeProblem,
	type GuestConfig,
	guestConfigFromJson,
	XlCfgError,
	type XlCfgProblem,
} from "@bulkhead/xlcfg";
import type { CliIo } from "../cli-io.ts";
import { readConfig } from "./read-config.ts";

/** A guest's config in one of its two forms, looked at without a daemon. */
export interface ConfigDocument {
	file: string;
	form: "xl" | "json";
	config?: GuestConfig;
	problems: ConfigProblem[];
	warnings: ConfigProblem[];
}

/** What is said of a config. A stored (JSON) config has paths in place of lines, and a file that cannot be read has neither. */
export type ConfigProblem = Pick<XlCfgProblem, "file" | "message" | "remedy" | "key"> &
	Partial<Pick<XlCfgProblem, "line" | "column">>;

/** Reads xl.cfg text, or the JSON that `config convert` and `--json` print. Does not throw for what is wrong with a file. */
export async function loadConfig(io: CliIo, file: string, overrides: readonly string[] = []): Promise<ConfigDocument> {
	const shown = file === "-" ? "standard input" : file;
	try {
		const text = await readConfig(file, io);
		if (text.trimStart().startsWith("{")) return readJson(shown, text, overrides);
		const { config, problems, warnings } = checkGuestConfig(text, {
			file: shown,
			baseDir: io.workingDirectory,
			overrides,
		});
		return { file: shown, form: "xl", config, problems: [...problems], warnings: [...warnings] };
	} catch (error) {
		const problems = error instanceof XlCfgError ? [...error.problems] : [asProblem(shown, error)];
		return { file: shown, form: "xl", problems, warnings: [] };
	}
}

function readJson(file: string, text: string, overrides: readonly string[]): ConfigDocument {
	const document: ConfigDocument = { file, form: "json", problems: [], warnings: [] };
	if (overrides.length > 0) {
		const remedy = "Convert it to xl.cfg first";
		return { ...document, problems: [{ file, message: "Assignments go with xl.cfg text, not with JSON", remedy }] };
	}
	try {
		return { ...document, config: guestConfigFromJson(JSON.parse(text)) };
	} catch (error) {
		return { ...document, problems: [asProblem(file, error)] };
	}
}

function asProblem(file: string, error: unknown): ConfigProblem {
	const { message, remedy } = serializeError(error);
	return remedy === undefined ? { file, message } : { file, message, remedy };
}

/** "web.cfg:3:1: Key memroy is not known", or without a place. */
export function problemLine({ file, line, column, message }: ConfigProblem): string {
	if (line === undefined || column === undefined) return `${file}: ${message}`;
	return describeProblem({ file, line, column, message });
}
