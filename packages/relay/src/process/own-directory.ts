import { closeSync, constants, fchmodSync, fchownSync, mkdirSync, openSync } from "node:fs";
import type { User } from "./user.ts";

/**
 * Makes a directory (and its parents, as root's) and gives it to a user. What the user keeps below is not looked at:
 * it could be a link to anywhere. Refuses a link in the directory's own place.
 */
export function ownDirectory(path: string, { uid, gid }: User): void {
	mkdirSync(path, { recursive: true, mode: 0o755 });
	const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
	try {
		fchownSync(fd, uid, gid);
		fchmodSync(fd, 0o750);
	} finally {
		closeSync(fd);
	}
}
