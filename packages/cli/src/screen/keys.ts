import { InvalidInputError, printable } from "@bulkhead/base";
import { KEY_NAMES } from "./key-names.ts";

/** A key as QMP's send-key names it: by name, or by number (the code that a PC's keyboard sends). */
export type QemuKey = { type: "qcode"; data: string } | { type: "number"; data: number };

/** Keys that are pressed together. */
export type Combination = QemuKey[];

/** QEMU takes no more keys at once. */
const MOST_KEYS = 16;
const HIGHEST_NUMBER = 0xff;

const named = (data: string): QemuKey => ({ type: "qcode", data });

/** "ctrl-alt-delete", as HMP's sendkey has it: names or hexadecimal numbers, joined by "-". @throws InvalidInputError */
export function parseCombination(text: string): Combination {
	const keys = text.split("-").map(parseKey);
	if (keys.length <= MOST_KEYS) return keys;
	throw new InvalidInputError(`More than ${MOST_KEYS} keys cannot be pressed at once`);
}

function parseKey(text: string): QemuKey {
	if (/^0x[0-9a-fA-F]{1,2}$/.test(text)) {
		const number = Number(text);
		if (number > 0 && number <= HIGHEST_NUMBER) return { type: "number", data: number };
	}
	const name = text === "<" ? "less" : text;
	if (KEY_NAMES.has(name) && name !== "unmapped") return named(name);
	const near = [...KEY_NAMES].filter((known) => known.startsWith(name.slice(0, 2))).slice(0, 8);
	throw new InvalidInputError(`There is no key ${JSON.stringify(printable(text, 32))}`, {
		remedy: `Use QEMU's names, as ctrl-alt-delete, f1, ret, spc, minus, or numbers, as 0x1c${
			near.length > 0 ? `; near are ${near.join(", ")}` : ""
		}`,
	});
}

/** Of a US keyboard: what a key types alone and with Shift, and its name. */
const US_KEYS: readonly [plain: string, shifted: string, name: string][] = [
	["`", "~", "grave_accent"],
	["-", "_", "minus"],
	["=", "+", "equal"],
	["[", "{", "bracket_left"],
	["]", "}", "bracket_right"],
	["\\", "|", "backslash"],
	[";", ":", "semicolon"],
	["'", '"', "apostrophe"],
	[",", "<", "comma"],
	[".", ">", "dot"],
	["/", "?", "slash"],
	...Array.from("1234567890", (digit, index): [string, string, string] => [digit, "!@#$%^&*()"[index] ?? "", digit]),
	...Array.from("abcdefghijklmnopqrstuvwxyz", (letter): [string, string, string] => [
		letter,
		letter.toUpperCase(),
		letter,
	]),
];

const OF_CHARACTER: ReadonlyMap<string, Combination> = new Map([
	[" ", [named("spc")]],
	["\n", [named("ret")]],
	["\t", [named("tab")]],
	["\u001b", [named("esc")]],
	...US_KEYS.flatMap(([plain, shifted, name]): [string, Combination][] => [
		[plain, [named(name)]],
		[shifted, [named("shift"), named(name)]],
	]),
]);

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\n", t: "\t", e: "\u001b", "\\": "\\" };

/** The keys of a US keyboard that type a text, in which \n, \t, \e and \\ are written so. @throws InvalidInputError */
export function combinationsOfText(text: string): Combination[] {
	const plain = text.replaceAll("\r\n", "\n").replace(/\\(.?)/gs, (whole, letter: string) => {
		const meant = ESCAPES[letter];
		if (meant !== undefined) return meant;
		throw new InvalidInputError(`The text has ${JSON.stringify(printable(whole))}, which stands for nothing`, {
			remedy: "Write \\n, \\t, \\e, and \\\\ for a backslash",
		});
	});
	return Array.from(plain, (character) => {
		const keys = OF_CHARACTER.get(character);
		if (keys) return keys;
		throw new InvalidInputError(`A US keyboard does not have ${JSON.stringify(printable(character))}`, {
			remedy: "Give other keys by their names, without --text",
		});
	});
}
