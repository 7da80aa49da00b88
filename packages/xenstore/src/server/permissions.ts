import { strtolUnsigned } from "./c-integer.ts";
import { refuse } from "./refusal.ts";

/** Bits of what a domain may do with a node (xenstore_lib.h, XS_PERM_*). */
export const ACCESS = { none: 0, read: 1, write: 2, both: 3, owner: 4 } as const;

/** Everything. */
const ALL = ACCESS.both | ACCESS.owner;

/** One entry of a node's list. The first is the owner with what holds for all others. */
export interface Permission {
	readonly domid: number;
	/** Of ACCESS, without `owner`. */
	readonly access: number;
	/** The domain meant is gone: a later one with its number gets nothing. */
	readonly isIgnored: boolean;
}

/** Never empty. */
export type Permissions = readonly [Permission, ...Permission[]];

/** Who asks: what permissions depend on. */
export interface Principal {
	readonly domid: number;
	readonly isUnprivileged: boolean;
	/** Whose rights it has besides its own (SET_TARGET). */
	readonly target: number | undefined;
}

const LETTERS = "nrwb";

export function privatePermissions(owner: number): Permissions {
	return [{ domid: owner, access: ACCESS.none, isIgnored: false }];
}

/** perm_for_conn: owners and privileged clients may do all; then the first entry that names the client counts. */
export function accessFor({ domid, isUnprivileged, target }: Principal, permissions: Permissions): number {
	const [owner] = permissions;
	if (!isUnprivileged || owner.domid === domid || owner.domid === target) return ALL;
	for (let at = 1; at < permissions.length; at++) {
		const entry = permissions[at] as Permission;
		if (!entry.isIgnored && (entry.domid === domid || entry.domid === target)) return entry.access;
	}
	return owner.access;
}

/** `n0`, `r5` … as GET_PERMS lists them. Entries that are ignored are listed like the others. */
export function formatPermissions(permissions: Permissions): string {
	return permissions.map(({ domid, access }) => `${LETTERS[access]}${domid | 0}\0`).join("");
}

/** @throws Refusal EINVAL */
export function parsePermission(text: string): Permission {
	const access = text === "" ? -1 : LETTERS.indexOf(text.charAt(0));
	const domid = strtolUnsigned(text.slice(1));
	if (access < 0 || domid === undefined) refuse("EINVAL");
	return { domid, access, isIgnored: false };
}
