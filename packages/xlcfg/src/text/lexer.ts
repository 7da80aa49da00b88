import type { Position } from "../problems/xlcfg-error.ts";
import { unescapeString } from "./string-escapes.ts";
import type { Span } from "./tree.ts";

export type TokenKind = "ident" | "number" | "string" | "," | "[" | "]" | "=" | "+=" | ";" | "newline" | "end" | "bad";

export interface Token extends Position {
	kind: TokenKind;
	/** Where its first character stands in the text, and the one behind its last. */
	start: number;
	end: number;
	/** Of a string: its value, escapes resolved. Of others: the text. */
	text: string;
	/** Of a bad token: what is wrong; its place may lie within the token. */
	problem?: Position & { message: string; remedy: string };
}

// These stay single loops over one class of characters: V8 runs such a pattern without a stack of places to return to.
const BLANK = /[ \t]*/y;
const LINE_END = /\r(?=\n|$)/y;
const COMMENT = /#[^\n]*/y;
const WORD = /[a-z][._0-9a-z]*|[0-9][0-9a-fx]*|\+=|[,[\]=;]/y;
const REST_OF_LINE = /[^\n]*/y;
/** Up to the next white space, as xl's lexer skips, but bounded for the message. */
const JUNK = /\S+|[^\S\n]+/y;
const LONGEST_QUOTE = 32;
const KNOWN_ESCAPES =
	"Known are \\\\ \\\" \\' \\a \\b \\f \\n \\r \\t \\v, \\xHH and \\ooo; write \\\\ for a backslash";
const PYTHON = /[-+.():]/;

/**
 * Cuts xl.cfg text into tokens (xl-cfg.md §1), one at a time and in linear time. Unlike xl's it takes a carriage return
 * before a newline for white space, and a comment that ends the file. What it cannot read is a token too, "bad".
 */
export class Lexer {
	readonly #text: string;
	#at = 0;
	#line = 1;
	#lineStart = 0;

	constructor(text: string) {
		this.#text = text;
	}

	next(): Token {
		this.#match(BLANK);
		this.#match(COMMENT);
		this.#match(LINE_END);
		const token = this.#token();
		token.end = this.#at;
		return token;
	}

	/** Its end is not known yet. */
	#token(): Token {
		const position = { line: this.#line, column: this.#at - this.#lineStart + 1, start: this.#at, end: 0 };
		const char = this.#text[this.#at];
		if (char === undefined) return { kind: "end", text: "", ...position };
		if (char === "\n") {
			this.#at++;
			this.#line++;
			this.#lineStart = this.#at;
			return { kind: "newline", text: "\n", ...position };
		}
		if (char === '"' || char === "'") return this.#string(position);
		const word = this.#match(WORD)?.[0];
		if (word === undefined) return this.#junk(position);
		return { kind: kindOf(word), text: word, ...position };
	}

	#string(position: Span): Token {
		const end = this.#endOfString();
		if (end === undefined) {
			this.#match(REST_OF_LINE);
			return bad(position, "The string is not closed on its line", "End it with the quote that began it");
		}
		const text = unescapeString(this.#text.slice(this.#at + 1, end));
		this.#at = end + 1;
		if (typeof text === "string") return { kind: "string", text, ...position };
		const token = bad(position, text.message, KNOWN_ESCAPES);
		if (token.problem) token.problem.column += 1 + text.offset;
		return token;
	}

	/** Index of the closing quote, or undefined when the line ends first. A backslash hides the next character. */
	#endOfString(): number | undefined {
		const quote = this.#text[this.#at];
		for (let at = this.#at + 1; at < this.#text.length; at++) {
			const char = this.#text[at];
			if (char === quote) return at;
			if (char === "\\" && this.#text[at + 1] !== "\n") at++;
			else if (char === "\n") return undefined;
		}
		return undefined;
	}

	#junk(position: Span): Token {
		const junk = this.#match(JUNK)?.[0] ?? "";
		const shown = JSON.stringify(junk.length > LONGEST_QUOTE ? `${junk.slice(0, LONGEST_QUOTE)}…` : junk);
		const remedy = PYTHON.test(junk[0] ?? "")
			? "Config files are not Python: values are strings in quotes, plain numbers and lists"
			: "Keys are in lower case; text goes in quotes";
		return bad(position, `The characters ${shown} do not belong here`, remedy);
	}

	#match(pattern: RegExp): RegExpExecArray | undefined {
		pattern.lastIndex = this.#at;
		const match = pattern.exec(this.#text);
		if (!match) return undefined;
		this.#at += match[0].length;
		return match;
	}
}

function bad(position: Span, message: string, remedy: string): Token {
	const { line, column } = position;
	return { kind: "bad", text: "", ...position, problem: { line, column, message, remedy } };
}

function kindOf(word: string): TokenKind {
	if (/^[a-z]/.test(word)) return "ident";
	if (/^[0-9]/.test(word)) return "number";
	return word as TokenKind;
}
