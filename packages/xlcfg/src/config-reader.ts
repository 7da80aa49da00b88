import { InvalidInputError, printable } from "@bulkhead/base";
import { UNSUPPORTED_KEYS } from "./key-tables.ts";
import { findNearestWord } from "./nearest-word.ts";
import type { ProblemDetails, ProblemList } from "./problem-list.ts";
import type { Assignment, ValueNode } from "./tree.ts";
import { describeProblem, type Position } from "./xlcfg-error.ts";

/** A string of a list, with its place. */
export interface PlacedText extends Position {
	text: string;
}

const NUMBER = /^(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i;

/**
 * Typed access to a config's keys. A value of the wrong kind is noted as a problem and reads as undefined; a key that
 * nothing asked for is noted by `refuseUnreadKeys`.
 */
export class ConfigReader {
	readonly warnings: string[] = [];
	readonly #values: ReadonlyMap<string, Assignment>;
	readonly #problems: ProblemList;
	readonly #read = new Set<string>();
	readonly #file: string;

	constructor(values: ReadonlyMap<string, Assignment>, problems: ProblemList, file: string) {
		this.#values = values;
		this.#problems = problems;
		this.#file = file;
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

	/** One of the given words. `later` holds words that xl knows and Bulkhead does not build yet. */
	word<Word extends string>(key: string, words: readonly Word[], later: readonly string[] = []): Word | undefined {
		const text = this.string(key);
		if (text === undefined) return undefined;
		const word = words.find((candidate) => candidate === text);
		if (word !== undefined) return word;
		const what = `"${printable(text, 32)}"`;
		const remedy = `Use ${words.map((candidate) => `"${candidate}"`).join(" or ")}`;
		this.refuse(
			key,
			later.includes(text) ? `${key} = ${what} is not supported yet` : `Key ${key} does not take ${what}`,
			{ remedy },
		);
		return undefined;
	}

	/** A list of strings; with `single`, one string stands for a list of one. */
	strings(key: string, { single = false }: { single?: boolean } = {}): PlacedText[] | undefined {
		const value = this.#find(key)?.value;
		if (!value) return undefined;
		if (single && value.kind === "string") return [{ text: value.value, line: value.line, column: value.column }];
		if (value.kind !== "list") {
			this.refuse(key, `Key ${key} takes a list of strings`, { remedy: `Write ${key} = [ "…" ]` });
			return undefined;
		}
		const texts: PlacedText[] = [];
		for (const item of value.items) {
			const { line, column } = item;
			if (item.kind === "string") texts.push({ text: item.value, line, column });
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

	warn(key: string, message: string, at?: Position): void {
		const assignment = this.#find(key);
		const { line, column } = at ?? assignment?.value ?? { line: 1, column: 1 };
		this.warnings.push(describeProblem({ file: assignment?.file ?? this.#file, line, column, message, key }));
	}

	/** Notes every key that no other method was asked for. */
	refuseUnreadKeys(): void {
		for (const [key, assignment] of this.#values) {
			if (this.#problems.full) return;
			if (this.#read.has(key)) continue;
			const unsupported = UNSUPPORTED_KEYS.has(key);
			const nearest = unsupported ? undefined : findNearestWord(key, this.#read);
			const shown = printable(key, 64);
			this.#problems.add(
				assignment.file,
				assignment,
				unsupported ? `Key ${shown} is not supported yet` : `Key ${shown} is not known`,
				{ key: shown, remedy: nearest === undefined ? "Remove the line" : `Did you mean ${nearest}?` },
			);
		}
	}

	#find(key: string): Assignment | undefined {
		this.#read.add(key);
		return this.#values.get(key);
	}
}

function integerOf(value: ValueNode): number | undefined {
	if (value.kind === "list") return undefined;
	const text = value.kind === "number" ? value.text : value.value.trim();
	if (!NUMBER.test(text)) return undefined;
	const octal = /^0[0-7]+$/.test(text);
	const number = octal ? Number.parseInt(text, 8) : Number(text);
	return Number.isSafeInteger(number) ? number : undefined;
}
