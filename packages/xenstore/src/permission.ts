import { type DomId, domId, InvalidInputError, ProtocolError, printable } from "@bulkhead/base";

/** What one domain may do with a node. */
export type Access = "none" | "read" | "write" | "both";

/**
 * One entry of a node's access list (docs/misc/xenstore.txt). The first entry names the owner, who may do everything;
 * its access is what every domain gets that is not listed.
 */
export interface Permission {
	domid: DomId;
	access: Access;
}

/**
 * Stands for every domain in a permission list (xen.h: DOMID_ANY, 0x7FF5), where xenstored offers the feature
 * `FEATURE.anyDomain`. No domain's own number.
 */
export const ANY_DOMAIN: DomId = 0x7ff5 as DomId;

const LETTERS = { none: "n", read: "r", write: "w", both: "b" } as const satisfies Record<Access, string>;
const ACCESSES = new Map<string, Access>(Object.entries(LETTERS).map(([access, letter]) => [letter, access as Access]));

/** `{ domid: 5, access: "read" }` → `r5` */
export function formatPermission({ domid, access }: Permission): string {
	return `${LETTERS[access]}${domid}`;
}

/** `n0`, `r5`, `w7`, `b3` → entry. @throws ProtocolError */
export function parsePermission(text: string): Permission {
	const access = ACCESSES.get(text.slice(0, 1));
	if (access === undefined || !/^.\d{1,5}$/.test(text))
		throw new ProtocolError(`Text "${printable(text, 40)}" is not a permission`);
	if (text.slice(1) === `${ANY_DOMAIN}`) return { domid: ANY_DOMAIN, access };
	try {
		return { domid: domId(text.slice(1)), access };
	} catch (error) {
		throw new ProtocolError(`Text "${printable(text, 40)}" is not a permission`, { cause: error });
	}
}

/** @throws InvalidInputError when the list has no owner */
export function formatPermissions(permissions: readonly Permission[]): string[] {
	if (permissions.length === 0) throw new InvalidInputError("A node's permissions begin with its owner");
	return permissions.map(formatPermission);
}
