const SIMPLE: Readonly<Record<string, string>> = {
	"\\": "\\",
	'"': '"',
	"'": "'",
	a: "\x07",
	b: "\b",
	f: "\f",
	n: "\n",
	r: "\r",
	t: "\t",
	v: "\v",
};

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|([^\n]))/g;

/** Where, counted from the string's first character, an escape is wrong, and why. */
export interface BadEscape {
	offset: number;
	message: string;
}

/**
 * Resolves `\n`, `\"` …, `\xHH` and `\ooo`. (xl's own reader fails on every `\xHH` and loses `\ooo`; ours takes them as
 * written.) A byte of 128 or more stands for the code point of that number.
 */
export function unescapeString(body: string): string | BadEscape {
	if (!body.includes("\\")) return body;
	let bad: BadEscape | undefined;
	const text = body.replace(ESCAPE, (all: string, hex?: string, octal?: string, letter?: string, offset?: number) => {
		const code = hex === undefined ? Number.parseInt(octal ?? "", 8) : Number.parseInt(hex, 16);
		if (code <= 0xff) return String.fromCharCode(code);
		const plain = letter === undefined ? undefined : SIMPLE[letter];
		if (plain === undefined) bad ??= { offset: offset ?? 0, message: explain(all, letter) };
		return plain ?? "";
	});
	return bad ?? text;
}

function explain(sequence: string, letter: string | undefined): string {
	if (letter === "x") return "Escape \\x needs two hexadecimal digits";
	if (letter !== undefined && /[0-9]/.test(letter)) return "An octal escape has three digits, \\000 to \\377";
	if (letter === undefined) return `Escape ${sequence} is above \\377`;
	return `Escape ${JSON.stringify(sequence)} is not known`;
}

/** A string literal that the parser reads back as `text`. */
export function quoteString(text: string): string {
	const body = text.replace(/[\\"]/g, "\\$&").replace(/\p{Cc}/gu, escapeControl);
	return `"${body}"`;
}

function escapeControl(char: string): string {
	if (char === "\n") return "\\n";
	if (char === "\t") return "\\t";
	return `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
