import { XLCFG_LIMITS } from "./limits.ts";

const SAFE = /^[A-Za-z0-9_.+:@=, ()[\]{}!$%^&*;<>?|~#-]+$/;
const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

/**
 * Why a text cannot be a guest's name, or undefined when it can. A name is 1 to 64 printable ASCII characters without
 * quotes, slashes or backslashes, so that it is safe in xenstore, in a file's name, in a command's arguments and in a
 * terminal; and it cannot be mistaken for a domid, a uuid or an option.
 */
export function guestNameProblem(name: string): string | undefined {
	if (name === "") return "The name is empty";
	if (name.length > XLCFG_LIMITS.nameLength) return `The name is longer than ${XLCFG_LIMITS.nameLength} characters`;
	if (!SAFE.test(name))
		return "The name has a character that is not allowed: quotes, slashes, backslashes, control and non-ASCII characters";
	if (name.startsWith("-")) return "The name begins with a dash";
	if (name !== name.trim()) return "The name begins or ends with a space";
	if (/^[0-9]+$/.test(name)) return "The name has digits only, like a domid";
	if (UUID.test(name)) return "The name looks like a uuid";
	if (/^\.+$/.test(name)) return "The name has dots only";
	return undefined;
}
