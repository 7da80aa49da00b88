import { InvalidInputError, printable } from "@bulkhead/base";

/** NUL would end an argument, a line break would forge a line of a log: neither has a use in QEMU's arguments. */
const FORBIDDEN = /[\0\n\r]/;

/**
 * A text as one argument of QEMU, unchanged: for options that take all of their argument as it is (-kernel, -append).
 * @throws InvalidInputError `unsafe-argument`
 */
export function wholeArgument(role: string, text: string): string {
	if (FORBIDDEN.test(text)) throw unsafe(role, text, "holds a line break or a NUL");
	return text;
}

/**
 * A text as the value of one key in an option like `-drive file=VALUE,format=raw`: QEMU splits such options at commas,
 * and a doubled comma stands for one. @throws InvalidInputError `unsafe-argument`
 */
export function optionValue(role: string, text: string): string {
	return wholeArgument(role, text).replaceAll(",", ",,");
}

/**
 * A text at the beginning of an option, where QEMU also takes a word with "=" for a key: only what is a plain word.
 * @throws InvalidInputError `unsafe-argument`
 */
export function plainWord(role: string, text: string): string {
	if (!/^[A-Za-z0-9][A-Za-z0-9_.+-]*$/.test(text)) throw unsafe(role, text, "is not a plain word");
	return text;
}

/** @throws InvalidInputError `unsafe-argument` */
export function requireWord(role: string, text: string, pattern: RegExp): string {
	if (!pattern.test(text)) throw unsafe(role, text, "is not well-formed");
	return wholeArgument(role, text);
}

function unsafe(role: string, text: string, why: string): InvalidInputError {
	return new InvalidInputError(
		`The ${role} "${printable(text, 80)}" ${why}`,
		{ remedy: "Correct it in the guest's config", fields: { role } },
		"unsafe-argument",
	);
}
