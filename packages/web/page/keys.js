/**
 * X11's symbol of a key, and the place that it has on a keyboard (KeyboardEvent.code), which is what QEMU is sent.
 * @typedef {[keysym: number, code: string]} Key
 */

/** @type {Readonly<Record<string, Key>>} */
const KEY = {
	ctrl: [0xffe3, "ControlLeft"],
	alt: [0xffe9, "AltLeft"],
	shift: [0xffe1, "ShiftLeft"],
	super: [0xffeb, "MetaLeft"],
	esc: [0xff1b, "Escape"],
	tab: [0xff09, "Tab"],
	enter: [0xff0d, "Enter"],
	backspace: [0xff08, "Backspace"],
	print: [0xff61, "PrintScreen"],
	b: [0x62, "KeyB"],
};

/** @param {number} number @returns {Key} */
const functionKey = (number) => [0xffbd + number, `F${number}`];

/** @param {string} name @returns {Key} */
const key = (name) => KEY[name] ?? [0, ""];

/** What browsers and desktops keep for themselves. @type {readonly [title: string, keys: Key[]][]} */
export const COMBINATIONS = [
	["Esc", [key("esc")]],
	["Tab", [key("tab")]],
	["Alt-Tab", [key("alt"), key("tab")]],
	["Alt-F4", [key("alt"), functionKey(4)]],
	["Super", [key("super")]],
	["Print Screen", [key("print")]],
	["Alt-SysRq-B (reboots Linux)", [key("alt"), key("print"), key("b")]],
	["Ctrl-Alt-Backspace", [key("ctrl"), key("alt"), key("backspace")]],
	...Array.from({ length: 12 }, (_, index) => {
		/** @type {[string, Key[]]} */
		const entry = [`Ctrl-Alt-F${index + 1}`, [key("ctrl"), key("alt"), functionKey(index + 1)]];
		return entry;
	}),
];

/** A key of a US keyboard: what it types alone, with Shift, and its place. @type {readonly (readonly [string, string, string])[]} */
const US_KEYS = [
	["`", "~", "Backquote"],
	["-", "_", "Minus"],
	["=", "+", "Equal"],
	["[", "{", "BracketLeft"],
	["]", "}", "BracketRight"],
	["\\", "|", "Backslash"],
	[";", ":", "Semicolon"],
	["'", '"', "Quote"],
	[",", "<", "Comma"],
	[".", ">", "Period"],
	["/", "?", "Slash"],
	[" ", " ", "Space"],
	...Array.from(
		"1234567890",
		(digit, index) => /** @type {const} */ ([digit, "!@#$%^&*()"[index] ?? "", `Digit${digit}`]),
	),
	...Array.from(
		"abcdefghijklmnopqrstuvwxyz",
		(letter) => /** @type {const} */ ([letter, letter.toUpperCase(), `Key${letter.toUpperCase()}`]),
	),
];

/** @type {Map<string, Key[]>} */
const KEYS_OF = new Map([
	["\n", [key("enter")]],
	["\t", [key("tab")]],
]);
for (const [plain, shifted, code] of US_KEYS) {
	if (shifted !== plain) KEYS_OF.set(shifted, [key("shift"), [shifted.charCodeAt(0), code]]);
	KEYS_OF.set(plain, [[plain.charCodeAt(0), code]]);
}

/**
 * The keys that type a text on a US keyboard, one combination for each character.
 * @param {string} text
 * @returns {{ combinations: Key[][], missing: string }} and the characters that such a keyboard does not have
 */
export function keysOfText(text) {
	const characters = Array.from(text.replace(/\r\n?/g, "\n"));
	return {
		combinations: characters.flatMap((character) => {
			const keys = KEYS_OF.get(character);
			return keys ? [keys] : [];
		}),
		missing: characters.filter((character) => !KEYS_OF.has(character)).join(""),
	};
}

/** @param {(keysym: number, code: string, down: boolean) => void} send @param {readonly Key[]} keys all pressed, then let go */
export function press(send, keys) {
	for (const [keysym, code] of keys) send(keysym, code, true);
	for (const [keysym, code] of keys.toReversed()) send(keysym, code, false);
}
