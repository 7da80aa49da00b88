import { InvalidInputError } from "@bulkhead/base";
import { XLCFG_LIMITS } from "../limits.ts";
import { checkPath } from "../specs/disk-config.ts";
import { checkValue } from "../specs/parameters.ts";
import type { ConfigReader, PlacedText } from "./config-reader.ts";

/** A path, made absolute. */
export function readPath(reader: ConfigReader, key: string, baseDir: string): string | undefined {
	const text = reader.string(key);
	return text === undefined ? undefined : reader.attempt(key, () => checkPath(text, baseDir));
}

/** A kernel's command line: one line of bounded length. */
export function readCommandLine(reader: ConfigReader, key: string): string | undefined {
	return readLine(reader, key, XLCFG_LIMITS.commandLineBytes);
}

/** One line of text. */
export function readLine(reader: ConfigReader, key: string, most: number = XLCFG_LIMITS.wordBytes): string | undefined {
	const text = reader.string(key);
	if (text === undefined) return undefined;
	if (/\p{Cc}/u.test(text)) reader.refuse(key, `Key ${key} has a control character`);
	else if (Buffer.byteLength(text) > most) reader.refuse(key, `Key ${key} is longer than ${most} bytes`);
	else return text;
	return undefined;
}

/** Every entry of a list, each checked by itself; what is wrong with one is told at its place. */
export function readEach<T>(
	reader: ConfigReader,
	key: string,
	check: (text: string, index: number, place: PlacedText) => T,
	options: { single?: boolean; numbers?: boolean; most?: number } = {},
): T[] {
	const values: T[] = [];
	for (const [index, place] of (reader.strings(key, options) ?? []).entries()) {
		const value = reader.attempt(key, () => ({ checked: check(place.text, index, place) }), place);
		if (value) values.push(value.checked);
	}
	return values;
}

/** One word without blanks. @throws InvalidInputError */
export function checkName(key: string, text: string): string {
	if (text === "" || /\s/.test(text)) throw new InvalidInputError(`Key ${key} takes one word`);
	return checkValue("The config", key, text, XLCFG_LIMITS.wordBytes);
}
