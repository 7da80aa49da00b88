import { type ErrorDetails, PeerRefusedError, printable } from "@bulkhead/base";
import type { Operation } from "./wire/operations.ts";

/**
 * - `xenstore-refused`: xenstored answered with an errno
 * - `xenstore-unsupported`: this xenstored does not know the request (ENOSYS) or lacks the feature asked for
 * - `xenstore-overloaded`: too much awaits xenstored's answers already; the request was not sent
 * - `xenstore-connection-lost`: xenstored went away or broke the protocol; nothing more will come of this client
 * - `xenstore-closed`: this client was closed by its owner
 * - `xenstore-conflict`: a transaction met other writers until its deadline
 */
export type XenstoreErrorCode =
	| "xenstore-refused"
	| "xenstore-unsupported"
	| "xenstore-overloaded"
	| "xenstore-connection-lost"
	| "xenstore-closed"
	| "xenstore-conflict";

export interface XenstoreErrorDetails extends ErrorDetails {
	errno?: string;
	operation?: Operation;
	path?: string;
}

/** xenstored said no, or can no longer be asked: branch on `code`, and on `errno` when it is `xenstore-refused`. */
export class XenstoreError extends PeerRefusedError {
	declare readonly code: XenstoreErrorCode;
	/** Name of the errno ("ENOENT"), "" when the failure has none. */
	readonly errno: string;
	readonly operation: Operation | undefined;
	readonly path: string | undefined;

	constructor(code: XenstoreErrorCode, message: string, details: XenstoreErrorDetails = {}) {
		const { errno = "", operation, path } = details;
		const known = { ...(operation && { operation }), ...(path !== undefined && { path }), ...(errno && { errno }) };
		super(code, message, { ...details, fields: { ...known, ...details.fields } });
		this.errno = errno;
		this.operation = operation;
		this.path = path;
	}
}

/** xenstored's answer of type ERROR. */
export function refusal(operation: Operation, path: string | undefined, errnoText: string): XenstoreError {
	const errno = printable(errnoText, 32);
	const on = path === undefined ? "" : ` of ${printable(path, 200)}`;
	if (errno === "ENOSYS")
		return new XenstoreError("xenstore-unsupported", `This xenstored does not know ${operation}`, {
			errno,
			operation,
			path,
			remedy: "Use a newer xenstored, or do without",
		});
	return new XenstoreError("xenstore-refused", `xenstored refused ${operation}${on}: ${errno}`, {
		errno,
		operation,
		path,
	});
}

export function isRefusal(error: unknown, errno: string): error is XenstoreError {
	return error instanceof XenstoreError && error.code === "xenstore-refused" && error.errno === errno;
}
