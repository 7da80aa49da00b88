import type { ConfigReader } from "./config-reader.ts";
import { checkPath } from "./disk-config.ts";

/** A path, made absolute. */
export function readPath(reader: ConfigReader, key: string, baseDir: string): string | undefined {
	const text = reader.string(key);
	return text === undefined ? undefined : reader.attempt(key, () => checkPath(text, baseDir));
}
