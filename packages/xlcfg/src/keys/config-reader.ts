import { InvalidInputError, printable } from "@bulkhead/base";
import { XLCFG_LIMITS } from "../limits.ts";
import { findNearestWord } from "../problems/nearest-word.ts";
import type { ProblemDetails, ProblemList } from "../problems/problem-list.ts";
import type { Position } from "../problems/xlcfg-error.ts";
import type { Assignment, ListNode, NumberNode, StringNode, ValueNode } from "../text/tree.ts";
import { explainForeignKey } from "./foreign-keys.ts";

/** A string of a list, with its place. */
export interface PlacedText extends Position {
	text: string;
}

interface StringsOptions {
	single?: boolean;
	numbers?: boolean;
	most?: number;
}

const NUMBER = /^[+-]?(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i;

/**
 * Typed access to a config's keys. A value of the wrong kind is noted as a problem and reads as undefined; a key that
 * nothing asked for is noted by `refuseUnreadKeys`.
 */
export class ConfigReader {
	readonly #values: Map<string, Assignment>;
	readonly #problems: ProblemList;
	readonly #warnings: ProblemList;
	readonly #read = new Set<string>();
	readonly #file: string;

	constructor(values: Map<string, Assignment>, notes: { problems: ProblemList; warnings: ProblemList; file: string }) {
		this.#values = values;
		this.#problems = notes.problems;
		this.#warnings = notes.warnings;
		this.#file = notes.file;
	}

	/** Warns of these keys where they are given, and reads them as absent from then on. */
	setAside(keys: Iterable<string>, why: string): void {
		for (const key of keys) {
			if (this.has(key)) this.warn(key, `Key ${key} ${why}`, undefined, "Remove the line");
			this.#values.delete(key);
		}
	}

	has(key: string): boolean {
		return this.#find(key) !== undefined;
	}

	string(key: string): string | undefined {
		const value = this.#find(key)?.value;
		if (value?.kind === "string") return value.value;
		if (value) this.refuse(key, `Key ${key} takes a string`, { remedy: `Write ${key} = "…"` });
		return undefined;
	}

	/** A whole number in decimal, octal (010) or hexadecimal (0x10); in quotes too, as xl has it. */
	integer(key: string, { min, max }: { min: number; max: number }): number | undefined {
		const value = this.#find(key)?.value;
		if (!value) return undefined;
		const number = integerOf(value);
		if (number !== undefined && number >= min && number <= max) return number;
		this.refuse(key, `Key ${key} takes a whole number from ${min} to ${max}`);
		return undefined;
	}

	boolean(key: string): boolean | undefined {
		const value = this.#find(key)?.value;
		if (!value) return undefined;
		const number = integerOf(value);
		if (number === 0 || number === 1) return number === 1;
		this.refuse(key, `Key ${key} takes 0 or 1`);
		return undefined;
	}

	/** One of the given words. */
	word<Word extends string>(key: string, words: readonly Word[]): Word | undefined {
		const text = this.string(key);
		if (text === undefined) return undefined;
		const word = words.find((candidate) => candidate === text);
		if (word !== undefined) return word;
		const nearest = findNearestWord(text, words);
		this.refuse(key, `Key ${key} does not take "${printable(text, 32)}"`, {
			remedy:
				nearest === undefined
					? `Use ${words.map((candidate) => `"${candidate}"`).join(" or ")}`
					: `Did you mean "${nearest}"?`,
		});
		return undefined;
	}

	/** One of the given words, or its old number: the place of the word in the list. */
	wordOrNumber<Word extends string>(key: string, words: readonly Word[]): Word | undefined {
		if (this.kind(key) !== "number") return this.word(key, words);
		const word = words[this.integer(key, { min: 0, max: words.length - 1 }) ?? -1];
		if (word !== undefined) this.warn(key, `A number for ${key} is deprecated: write ${key} = "${word}"`);
		return word;
	}

	kind(key: string): ValueNode["kind"] | undefined {
		return this.#find(key)?.value.kind;
	}

	/** A list as it stands, for keys whose lists hold lists. */
	list(key: string): ListNode | undefined {
		const value = this.#find(key)?.value;
		if (!value || value.kind === "list") return value;
		this.refuse(key, `Key ${key} takes a list`, { remedy: `Write ${key} = [ … ]` });
		return undefined;
	}

	/**
	 * A list of strings; with `single`, one string stands for a list of one; with `numbers`, numbers stand for their
	 * text. A list longer than `most` is refused.
	 */
	strings(
		key: string,
		{ single = false, numbers = false, most = XLCFG_LIMITS.devices }: StringsOptions = {},
	): PlacedText[] | undefined {
		const value = this.#find(key)?.value;
		if (!value) return undefined;
		if (single && value.kind !== "list" && (numbers || value.kind === "string")) return [placedText(value)];
		if (value.kind !== "list") {
			this.refuse(key, `Key ${key} takes a list of strings`, { remedy: `Write ${key} = [ "…" ]` });
			return undefined;
		}
		if (value.items.length > most) {
			this.refuse(key, `The list ${key} has more than ${most} entries`);
			return undefined;
		}
		const texts: PlacedText[] = [];
		for (const item of value.items) {
			if (item.kind === "string" || (numbers && item.kind === "number")) texts.push(placedText(item));
			else this.refuse(key, `The list ${key} takes strings only`, {}, item);
		}
		return texts;
	}

	/** Notes a problem with a key, at its value or at a place within. */
	refuse(key: string, message: string, details: ProblemDetails = {}, at?: Position): void {
		const assignment = this.#find(key);
		const place = at ?? assignment?.value ?? { line: 1, column: 1 };
		this.#problems.add(assignment?.file ?? this.#file, place, message, { key, ...details });
	}

	/** Runs a check that throws InvalidInputError; its sentence becomes a problem of the key. */
	attempt<T>(key: string, check: () => T, at?: Position): T | undefined {
		try {
			return check();
		} catch (error) {
			if (!(error instanceof InvalidInputError)) throw error;
			this.refuse(key, error.message, { remedy: error.remedy }, at);
			return undefined;
		}
	}

	warn(key: string, message: string, at?: Position, remedy?: string): void {
		const assignment = this.#find(key);
		const place = at ?? assignment?.value ?? { line: 1, column: 1 };
		this.#warnings.add(assignment?.file ?? this.#file, place, message, {
			key,
			...(remedy === undefined ? {} : { remedy }),
		});
	}

	/** Notes every key that no other method was asked for. */
	refuseUnreadKeys(): void {
		for (const [key, assignment] of this.#values) {
			if (this.#problems.full) return;
			if (this.#read.has(key)) continue;
			const shown = printable(key, 64);
			const foreign = explainForeignKey(key);
			const nearest = foreign ? undefined : findNearestWord(key, this.#read);
			this.#problems.add(assignment.file, assignment, `Key ${shown} ${foreign?.why ?? "is not known"}`, {
				key: shown,
				remedy: foreign?.remedy ?? (nearest === undefined ? "Remove the line" : `Did you mean ${nearest}?`),
			});
		}
	}

	#find(key: string): Assignment | undefined {
		this.#read.add(key);
		return this.#values.get(key);
	}
}

function integerOf(value: ValueNode): number | undefined {
	if (value.kind === "list") return undefined;
	return parseInteger(value.kind === "number" ? value.text : value.value.trim());
}

/** As strtol with base 0 reads it, but with nothing behind the number. */
export function parseInteger(text: string): number | undefined {
	const [, sign, digits = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
	if (!NUMBER.test(text)) return undefined;
	const number = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
	if (!Number.isSafeInteger(number)) return undefined;
	return sign === "-" && number !== 0 ? -number : number;
}

function placedText(node: StringNode | NumberNode): PlacedText {
	const { line, column } = node;
	return { text: node.kind === "string" ? node.value : node.text, line, column };
}
