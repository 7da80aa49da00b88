import { findOperation, type Operation } from "../../src/wire/index.ts";
import type { Frame } from "./make-frames.ts";

const PRIVILEGED: readonly Operation[] = [
	"CONTROL",
	"INTRODUCE",
	"RELEASE",
	"RESUME",
	"SET_TARGET",
	"IS_DOMAIN_INTRODUCED",
];
const OF_ONE_PATH: readonly Operation[] = ["READ", "DIRECTORY", "MKDIR", "RM", "GET_PERMS"];
const OUTSIDE_TRANSACTIONS: readonly Operation[] = ["WATCH", "UNWATCH"];
/** The codec can name them, a server of 4.17 does not know them. */
const NEWER: readonly Operation[] = ["GET_FEATURE", "SET_FEATURE", "GET_QUOTA", "SET_QUOTA"];
/** Beyond this no client of the fuzzer has transactions. */
const MOST_TRANSACTIONS = 1_000_000;

/** Every errno that xs_wire.h lets a server answer with. */
export const ERRNOS: ReadonlySet<string> = new Set([
	..."EINVAL EACCES EEXIST EISDIR ENOENT ENOMEM ENOSPC EIO ENOTEMPTY ENOSYS EROFS EBUSY EAGAIN EISCONN E2BIG EPERM".split(
		" ",
	),
]);

/** What a request must be refused with, as far as it shows in the request alone; undefined: that depends. */
export function expectedErrno({ type, transactionId, payload }: Frame, isUnprivileged: boolean): string | undefined {
	const operation = findOperation(type);
	if (operation === undefined || operation === "WATCH_EVENT" || operation === "ERROR") return "ENOSYS";
	if (NEWER.includes(operation)) return "ENOSYS";
	if (isUnprivileged && PRIVILEGED.includes(operation)) return "EACCES";
	if (!OUTSIDE_TRANSACTIONS.includes(operation) && transactionId > MOST_TRANSACTIONS) return "ENOENT";
	// Whether the transaction is there comes first, and is not known here.
	if (transactionId !== 0) return undefined;
	const strings = payload.toString("latin1").split("\0");
	if (OF_ONE_PATH.includes(operation) && (strings.length !== 2 || strings[1] !== "" || !isPath(strings[0] ?? "")))
		return "EINVAL";
	if (operation === "WRITE" && (strings.length < 2 || !isPath(strings[0] ?? ""))) return "EINVAL";
	if (operation === "WATCH" && strings.length !== 3) return "EINVAL";
	if (operation === "TRANSACTION_END") return /^[TF]\0$/.test(payload.toString("latin1")) ? "ENOENT" : "EINVAL";
	return undefined;
}

/** Short ones only: the longest ones have their own rows. */
function isPath(text: string): boolean {
	if (text.length > 2000) return true;
	return /^(\/|\/?[A-Za-z0-9_@-]+(\/[A-Za-z0-9_@-]+)*)$/.test(text) && !/^@/.test(text);
}
