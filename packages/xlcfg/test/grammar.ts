import { fc } from "@fast-check/vitest";

const token = fc.constantFrom(
	...[
		"name",
		"disk",
		"=",
		"+=",
		"[",
		"]",
		",",
		";",
		"\n",
		"\r\n",
		'"',
		"'",
		"\\",
		"\\x4",
		"#",
		" ",
		"0x1f",
		"08",
		"é",
		"(",
	],
);

/** Texts made of what the grammar is made of, and of what it refuses. */
export const grammar: fc.Arbitrary<string> = fc.array(token).map((parts) => parts.join(""));
