import { readFile } from "node:fs/promises";

/** A user of the host. */
export interface Account {
	name: string;
	uid: number;
	gid: number;
}

const PASSWD = "/etc/passwd";
const ENTRY = /^(?<name>[^:]+):[^:]*:(?<uid>[0-9]{1,10}):(?<gid>[0-9]{1,10}):/;

/** The users of this machine that its own file names (passwd(5)); those of a directory service are not found. */
export async function readAccounts(): Promise<Account[]> {
	return parseAccounts(await readFile(PASSWD, "utf8"));
}

export function parseAccounts(text: string): Account[] {
	return text.split("\n").flatMap((line) => {
		const { name, uid, gid } = ENTRY.exec(line)?.groups ?? {};
		return name === undefined ? [] : [{ name, uid: Number(uid), gid: Number(gid) }];
	});
}
