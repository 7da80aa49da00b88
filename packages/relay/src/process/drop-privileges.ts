import { BulkheadError } from "@bulkhead/base";
import type { User } from "./user.ts";

/** The calls of `process` that matter here. */
export type Identity = Required<
	Pick<NodeJS.Process, "getuid" | "geteuid" | "getgroups" | "setgroups" | "setgid" | "setuid" | "getgid">
>;

/**
 * Becomes an ordinary user for good: no supplementary groups, and (leaving uid 0 for real, effective and saved) no
 * capabilities. Checks that there is no way back. @throws BulkheadError `still-privileged`
 */
export function dropPrivileges({ uid, gid }: User, identity: Identity = process as Identity): void {
	if (uid === 0 || gid === 0) throw stillPrivileged("The relay's user is root or in root's group");
	identity.setgroups([]);
	identity.setgid(gid);
	identity.setuid(uid);
	if (identity.getuid() !== uid || identity.geteuid() !== uid || identity.getgid() !== gid)
		throw stillPrivileged("The relay did not become its user");
	if (identity.getgroups().some((group) => group !== gid)) throw stillPrivileged("The relay kept supplementary groups");
	try {
		identity.setuid(0);
	} catch {
		return;
	}
	throw stillPrivileged("The relay could become root again");
}

function stillPrivileged(message: string): BulkheadError {
	return new BulkheadError("still-privileged", message, {
		remedy: "Start it as root with --user naming an ordinary user",
	});
}
