import { errnoOf, InvalidInputError } from "@bulkhead/base";
import type { CliIo } from "../cli-io.ts";

/** Above any limit of the daemon, which gives the precise answer; below what would hurt this process. */
const MOST_BYTES = 16 * 1024 * 1024;

/** The text of a config file; `-` is standard input. @throws InvalidInputError `file-unusable` */
export async function readConfig(file: string, io: CliIo): Promise<string> {
	try {
		return decode(file, await collect(file, file === "-" ? io.stdin : io.readFile(file)));
	} catch (error) {
		if (error instanceof InvalidInputError) throw error;
		const why = { ENOENT: "does not exist", EACCES: "may not be read", EISDIR: "is a directory" }[errnoOf(error) ?? ""];
		throw unusable(file, why ?? "cannot be read", error);
	}
}

async function collect(file: string, source: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const parts: Uint8Array[] = [];
	let bytes = 0;
	for await (const part of source) {
		bytes += part.length;
		if (bytes > MOST_BYTES) throw unusable(file, `is larger than ${MOST_BYTES >> 20} MiB`);
		parts.push(part);
	}
	return Buffer.concat(parts);
}

function decode(file: string, bytes: Buffer): string {
	try {
		return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch (error) {
		throw unusable(file, "is not UTF-8 text", error);
	}
}

function unusable(file: string, why: string, cause?: unknown): InvalidInputError {
	return new InvalidInputError(
		`The config file ${JSON.stringify(file)} ${why}`,
		{ remedy: "Give the path of a guest's config file", cause, fields: { path: file } },
		"file-unusable",
	);
}
