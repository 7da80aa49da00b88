/** What xenstored can answer (xs_wire.h, xsd_errors). */
export type Errno =
	| "EINVAL"
	| "EACCES"
	| "EEXIST"
	| "ENOENT"
	| "ENOMEM"
	| "ENOSPC"
	| "EIO"
	| "ENOSYS"
	| "EBUSY"
	| "EAGAIN"
	| "E2BIG"
	| "EPERM";

/** A request is answered with an errno. Thrown between the request's handler and the place that answers. */
export class Refusal extends Error {
	readonly errno: Errno;

	constructor(errno: Errno) {
		super(errno);
		this.errno = errno;
	}
}

const REFUSALS = new Map<Errno, Refusal>();

/** One object for each errno: refusals are everyday answers, and a stack trace costs more than the answer. */
export function refuse(errno: Errno): never {
	let refusal = REFUSALS.get(errno);
	if (!refusal) {
		refusal = new Refusal(errno);
		REFUSALS.set(errno, refusal);
	}
	throw refusal;
}
