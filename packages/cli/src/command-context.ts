import type { ApiClient } from "@bulkhead/api/client";
import type { CliIo } from "./cli-io.ts";
import { asciiJson } from "./output/ascii-json.ts";

export interface CommandContext {
	io: CliIo;
	client: ApiClient;
	/** JSON on standard output in place of text. */
	json: boolean;
	verbose: boolean;
	/** Writes a line of result to standard output. */
	print(line: string): void;
	/** Writes one JSON document, as a line, to standard output. */
	printJson(value: unknown): void;
	/** Writes a line that is no result to standard error. */
	note(line: string): void;
}

export interface ContextOptions {
	io: CliIo;
	client: ApiClient;
	json: boolean;
	verbose: boolean;
}

export function commandContext({ io, client, json, verbose }: ContextOptions): CommandContext {
	return {
		io,
		client,
		json,
		verbose,
		print: (line) => void io.stdout.write(`${line}\n`),
		printJson: (value) => void io.stdout.write(`${asciiJson(value)}\n`),
		note: (line) => void io.stderr.write(`${line}\n`),
	};
}
