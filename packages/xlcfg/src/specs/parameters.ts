import { InvalidInputError, printable } from "@bulkhead/base";
import { guestNameProblem } from "../guest-name.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { findNearestWord } from "../problems/nearest-word.ts";

/** One part of a comma list: "name=value", or a bare word. */
export interface Parameter {
	name: string;
	/** Undefined for a bare word. */
	value: string | undefined;
}

/** Cuts "a=1, b, c=x=y" at commas and first equals signs; blanks around parts are dropped, empty parts vanish. */
export function splitParameters(text: string): Parameter[] {
	return text.split(",").flatMap(readParameter);
}

function readParameter(text: string): Parameter[] {
	const part = text.trim();
	if (part === "") return [];
	const equals = part.indexOf("=");
	if (equals === -1) return [{ name: part, value: undefined }];
	return [{ name: part.slice(0, equals).trimEnd(), value: part.slice(equals + 1).trimStart() }];
}

/**
 * The same, but a value may stand in double quotes, and then have commas and blanks. Quotes anywhere else are refused.
 * @throws InvalidInputError
 */
export function splitQuotedParameters(what: string, text: string): Parameter[] {
	const parts = text.match(/(?:"[^"]*"|[^",])+|"/g) ?? [];
	return parts.flatMap(readParameter).map(({ name, value }) => {
		const quoted = value === undefined ? undefined : /^"([^"]*)"$/.exec(value)?.[1];
		if (`${name}${quoted === undefined ? (value ?? "") : ""}`.includes('"'))
			throw new InvalidInputError(`${what}: a quotation mark stands where none may`, {
				remedy: 'Write NAME="VALUE", with nothing before or behind it',
			});
		return { name, value: quoted ?? value };
	});
}

/** @throws InvalidInputError for a name that is not among `known`, with a guess at what was meant */
export function refuseUnknownParameter(what: string, name: string, known: Iterable<string>): never {
	const nearest = findNearestWord(name, known);
	throw new InvalidInputError(`${what} has no parameter "${printable(name, 32)}"`, {
		remedy: nearest === undefined ? `Known are ${[...known].join(", ")}` : `Did you mean ${nearest}?`,
	});
}

/**
 * "name=value" pairs, as text or split, as a record: every name known and none twice.
 * @throws InvalidInputError
 */
export function parseKeyed<Name extends string>(
	what: string,
	text: string | readonly Parameter[],
	known: readonly Name[],
): Partial<Record<Name, string>> {
	const record: Partial<Record<Name, string>> = {};
	for (const { name, value } of typeof text === "string" ? splitParameters(text) : text) {
		const key = known.find((candidate) => candidate === name) ?? refuseUnknownParameter(what, name, known);
		if (value === undefined || value === "")
			throw new InvalidInputError(`${what}: ${key} has no value`, { remedy: `Write ${key}=VALUE` });
		if (record[key] !== undefined) throw new InvalidInputError(`${what}: ${key} is given twice`);
		record[key] = checkValue(what, key, value);
	}
	return record;
}

/** One line of bounded length. @throws InvalidInputError */
export function checkValue(what: string, name: string, value: string, most: number = XLCFG_LIMITS.lineBytes): string {
	if (/\p{Cc}/u.test(value)) throw new InvalidInputError(`${what}: ${name} has a control character`);
	if (Buffer.byteLength(value) > most) throw new InvalidInputError(`${what}: ${name} is longer than ${most} bytes`);
	return value;
}

/** "0" or "1" as a flag. @throws InvalidInputError */
export function parseFlag(what: string, name: string, value: string | undefined): boolean | undefined {
	if (value === undefined) return undefined;
	if (value === "0" || value === "1") return value === "1";
	throw new InvalidInputError(`${what}: ${name} takes 0 or 1, not "${printable(value, 32)}"`);
}

/** A whole number within bounds. @throws InvalidInputError */
export function parseCount(
	what: string,
	name: string,
	value: string | undefined,
	{ min, max }: { min: number; max: number },
): number | undefined {
	if (value === undefined) return undefined;
	const number = /^(?:0|[1-9][0-9]{0,15})$/.test(value) ? Number(value) : Number.NaN;
	if (number >= min && number <= max) return number;
	throw new InvalidInputError(`${what}: ${name} takes a whole number from ${min} to ${max}`);
}

/** One of the given words. @throws InvalidInputError */
export function parseWord<Word extends string>(
	what: string,
	name: string,
	value: string | undefined,
	words: readonly Word[],
): Word | undefined {
	if (value === undefined) return undefined;
	const word = words.find((candidate) => candidate === value);
	if (word !== undefined) return word;
	throw new InvalidInputError(`${what}: ${name} does not take "${printable(value, 32)}"`, {
		remedy: `Use ${words.join(" or ")}`,
	});
}

/**
 * The domain whose driver serves a device: its name or number, undefined for domain 0.
 * @throws InvalidInputError
 */
export function parseBackend(what: string, value: string | undefined): string | undefined {
	if (value === undefined || value === "" || value === "0" || value === "Domain-0") return undefined;
	if (/^[0-9]+$/.test(value) ? Number(value) < 0x7ff0 : guestNameProblem(value) === undefined) return value;
	throw new InvalidInputError(`${what}: backend "${printable(value, 64)}" is no domain's name or number`);
}
