import { InvalidArgumentError } from "commander";

/** Ctrl-], which detaches in xl too. */
export const DEFAULT_ESCAPE = "^]";

const FIRST_CONTROL = 0x40;
const LAST_CONTROL = 0x5f;

/** `^X` for a control character, or one character that is typed as it is (xl console -e). @throws InvalidArgumentError */
export function escapeKey(text: string): number {
	const [first, second] = [text.charCodeAt(0), text.toUpperCase().charCodeAt(1)];
	if (text.length === 1 && first < 0x80) return first;
	if (text.length === 2 && text.startsWith("^") && second >= FIRST_CONTROL && second <= LAST_CONTROL)
		return second - FIRST_CONTROL;
	throw new InvalidArgumentError("Give one character, or ^ and a character for Ctrl.");
}

/** As a person calls it. */
export function escapeName(key: number): string {
	return key < 0x20 ? `Ctrl-${String.fromCharCode(key + FIRST_CONTROL)}` : JSON.stringify(String.fromCharCode(key));
}
