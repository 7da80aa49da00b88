import { XLCFG_LIMITS } from "../limits.ts";
import { ProblemList } from "../problems/problem-list.ts";
import { Lexer, type Token } from "./lexer.ts";
import type { Assignment, ListNode, ValueNode } from "./tree.ts";

/** Parses xl.cfg text into its assignments, in order. @throws XlCfgError with every syntax error found */
export function parseTree(text: string, file: string): Assignment[] {
	const problems = new ProblemList();
	const assignments = collectAssignments(text, file, problems);
	problems.throwIfAny();
	return assignments;
}

/** As parseTree, but reports into `problems`, goes on at the next line after each, and answers what was readable. */
export function collectAssignments(text: string, file: string, problems: ProblemList): Assignment[] {
	return new TreeParser(text, file, problems).file();
}

/** Thrown and caught within this file. */
class Abandoned extends Error {}

class TreeParser {
	readonly #lexer: Lexer;
	readonly #file: string;
	readonly #problems: ProblemList;
	#token: Token;

	constructor(text: string, file: string, problems: ProblemList) {
		this.#lexer = new Lexer(text);
		this.#file = file;
		this.#problems = problems;
		this.#token = this.#lexer.next();
	}

	file(): Assignment[] {
		const assignments: Assignment[] = [];
		while (this.#token.kind !== "end" && !this.#problems.full) {
			try {
				if (this.#token.kind === "newline" || this.#token.kind === ";") this.#advance();
				else assignments.push(this.#assignment());
			} catch (error) {
				if (!(error instanceof Abandoned)) throw error;
				this.#skipToNextKey();
			}
		}
		return assignments;
	}

	/** To the next line that begins with a key: the rest of a broken list is not told of again. */
	#skipToNextKey(): void {
		let fresh = false;
		while (this.#token.kind !== "end" && !(fresh && this.#token.kind === "ident")) {
			fresh = this.#token.kind === "newline";
			this.#advance();
		}
	}

	#assignment(): Assignment {
		const { kind, text: key, line, column, start } = this.#token;
		if (kind !== "ident") this.#fail("A line begins with a key", "Write key = value");
		const operator = this.#advance().kind;
		if (operator !== "=" && operator !== "+=") this.#fail(`Key ${key} is not followed by =`, "Write key = value");
		this.#advance();
		const value = this.#value(0);
		const after = this.#token.kind;
		if (after !== "newline" && after !== ";" && after !== "end")
			this.#fail(`Unexpected text after the value of ${key}`, "Put the next assignment on a line of its own");
		return { key, operator, value, file: this.#file, line, column, start, end: value.end };
	}

	#value(depth: number): ValueNode {
		const { kind, text, line, column, start, end } = this.#token;
		if (kind === "[") return this.#list(depth);
		if (kind === "ident") this.#failBareWord(text);
		if (kind !== "string" && kind !== "number")
			this.#fail("A value is missing", 'A value is a "string", a number, or a [ list ]');
		this.#advance();
		const place = { line, column, start, end };
		return kind === "string" ? { kind, value: text, ...place } : { kind, text, ...place };
	}

	#list(depth: number): ListNode {
		const { line, column, start } = this.#token;
		if (depth >= XLCFG_LIMITS.listDepth) this.#fail(`Lists are nested deeper than ${XLCFG_LIMITS.listDepth}`);
		const items: ValueNode[] = [];
		let token = this.#advancePastNewlines();
		while (token.kind !== "]") {
			items.push(this.#value(depth + 1));
			token = this.#skipNewlines();
			if (token.kind === ",") token = this.#advancePastNewlines();
			else if (token.kind !== "]") this.#fail(`The list begun in line ${line} lacks a comma or its closing bracket`);
		}
		const { end } = token;
		this.#advance();
		return { kind: "list", items, line, column, start, end };
	}

	#advancePastNewlines(): Token {
		this.#advance();
		return this.#skipNewlines();
	}

	#skipNewlines(): Token {
		while (this.#token.kind === "newline") this.#advance();
		return this.#token;
	}

	#advance(): Token {
		this.#token = this.#lexer.next();
		return this.#token;
	}

	#failBareWord(word: string): never {
		const meant = /^(?:yes|true|on)$/.test(word) ? "1" : /^(?:no|false|off)$/.test(word) ? "0" : `"${word}"`;
		return this.#fail(`The word ${word} is not a value`, `Write ${meant}`);
	}

	#fail(message: string, remedy?: string): never {
		const problem = this.#token.problem ?? { ...this.#token, message, remedy };
		this.#problems.add(this.#file, problem, problem.message, { remedy: problem.remedy });
		throw new Abandoned();
	}
}
