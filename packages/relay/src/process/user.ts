import { readFileSync } from "node:fs";
import { InvalidInputError } from "@bulkhead/base";

export interface User {
	name: string;
	uid: number;
	gid: number;
}

/** A user of /etc/passwd (passwd(5)) by name. @throws InvalidInputError when there is none */
export function getUser(name: string, passwd: string = readFileSync("/etc/passwd", "utf8")): User {
	for (const line of passwd.split("\n")) {
		const [found, , uid, gid] = line.split(":");
		if (found !== name || uid === undefined || gid === undefined || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) continue;
		return { name, uid: Number(uid), gid: Number(gid) };
	}
	throw new InvalidInputError(`There is no user ${JSON.stringify(name)}`, {
		remedy: "Make a system user for the relay, or name another with --user",
	});
}
