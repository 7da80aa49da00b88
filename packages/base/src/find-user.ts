import { readFileSync } from "node:fs";

export interface User {
	name: string;
	uid: number;
	gid: number;
}

/** A user of /etc/passwd (passwd(5)) by name. */
export function findUser(name: string, passwd: string = readFileSync("/etc/passwd", "utf8")): User | undefined {
	for (const line of passwd.split("\n")) {
		const [found, , uid, gid] = line.split(":");
		if (found !== name || uid === undefined || gid === undefined || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) continue;
		return { name, uid: Number(uid), gid: Number(gid) };
	}
	return undefined;
}
