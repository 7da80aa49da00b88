import { InvalidInputError } from "@bulkhead/base";
import { LIMITS } from "./wire/limits.ts";

declare const checked: unique symbol;
/** A path that xenstored accepts: absolute, or relative to the caller's own /local/domain/<domid>. */
export type XenstorePath = string & { readonly [checked]: true };

const ALPHABET = /^[A-Za-z0-9\-/_@]+$/;
const SPECIAL = /^@[A-Za-z0-9\-/_@]+$/;

/** What is wrong with the text as a path, or undefined when it is one (docs/misc/xenstore.txt, "paths"). */
export function findPathFault(text: string): string | undefined {
	if (text === "") return "it is empty";
	const limit = text.startsWith("/") ? LIMITS.absolutePath : LIMITS.relativePath;
	if (text.length > limit) return `it is longer than ${limit} bytes`;
	if (!ALPHABET.test(text)) return "it holds characters other than A-Z a-z 0-9 - / _ @";
	if (text.includes("//")) return "it has an empty element";
	if (text !== "/" && text.endsWith("/")) return "it ends with a slash";
	if (text.startsWith("@")) return "it names a special watch";
	return undefined;
}

export function isXenstorePath(text: string): text is XenstorePath {
	return findPathFault(text) === undefined;
}

/** @throws InvalidInputError */
export function xenstorePath(text: string): XenstorePath {
	const fault = findPathFault(text);
	if (fault === undefined) return text as XenstorePath;
	throw new InvalidInputError(`Text ${JSON.stringify(text.slice(0, 120))} is not a xenstore path: ${fault}`);
}

/** A path, or one of the special names (@introduceDomain, @releaseDomain). @throws InvalidInputError */
export function watchPath(text: string): string {
	if (SPECIAL.test(text) && text.length <= LIMITS.relativePath) return text;
	return xenstorePath(text);
}
