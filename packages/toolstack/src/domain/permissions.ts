import { DOM0, type DomId } from "@bulkhead/base";
import type { Permission } from "@bulkhead/xenstore";

/** Owned by domain 0, readable by `reader`. */
export const readableBy = (reader: DomId): Permission[] => [
	{ domid: DOM0, access: "none" },
	{ domid: reader, access: "read" },
];

/** Owned (read and written) by `owner`, readable by `reader`. */
export const ownedBy = (owner: DomId, reader: DomId = DOM0): Permission[] => [
	{ domid: owner, access: "none" },
	...(reader === owner ? [] : [{ domid: reader, access: "read" } as const]),
];

/** Owned by domain 0 and hidden from everybody else. */
export const hidden: Permission[] = [{ domid: DOM0, access: "none" }];
