/** Message types (xs_wire.h, enum xsd_sockmsg_type; 20 was RESTRICT, which no server knows any more). */
export const OPERATION = {
	CONTROL: 0,
	DIRECTORY: 1,
	READ: 2,
	GET_PERMS: 3,
	WATCH: 4,
	UNWATCH: 5,
	TRANSACTION_START: 6,
	TRANSACTION_END: 7,
	INTRODUCE: 8,
	RELEASE: 9,
	GET_DOMAIN_PATH: 10,
	WRITE: 11,
	MKDIR: 12,
	RM: 13,
	SET_PERMS: 14,
	WATCH_EVENT: 15,
	ERROR: 16,
	IS_DOMAIN_INTRODUCED: 17,
	RESUME: 18,
	SET_TARGET: 19,
	RESET_WATCHES: 21,
	DIRECTORY_PART: 22,
	// Since Xen 4.21's protocol; older servers answer ENOSYS.
	GET_FEATURE: 23,
	SET_FEATURE: 24,
	GET_QUOTA: 25,
	SET_QUOTA: 26,
} as const;

/** The name of a request or message: "READ", "TRANSACTION_END" … */
export type Operation = keyof typeof OPERATION;

const NAMES = new Map<number, Operation>(
	Object.entries(OPERATION).map(([name, type]) => [type, name as keyof typeof OPERATION]),
);

/** Undefined for types that this version of the protocol does not name. */
export function findOperation(type: number): Operation | undefined {
	return NAMES.get(type);
}
