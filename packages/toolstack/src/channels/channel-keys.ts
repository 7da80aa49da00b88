import { constants, type FileHandle, open } from "node:fs/promises";
import { errnoOf } from "@bulkhead/base";
import type { ChannelTls } from "@bulkhead/xlcfg";
import type { ChannelKeys } from "../context.ts";
import { FileUnusableError } from "../errors.ts";

const MOST_BYTES = 64 * 1024;
const FILES = { ca: "authority", cert: "certificate", key: "key" } as const;

/** The contents of files with keys: the relay, who needs them, may not open them. @throws FileUnusableError */
export async function readKeys(tls: ChannelTls, whose = "channel's"): Promise<ChannelKeys> {
	const keys: ChannelKeys = tls.serverName === undefined ? {} : { serverName: tls.serverName };
	for (const name of ["ca", "cert", "key"] as const) {
		const path = tls[name];
		if (path !== undefined) keys[name] = await readPem(`${whose} ${FILES[name]}`, path);
	}
	return keys;
}

async function readPem(role: string, path: string): Promise<string> {
	let file: FileHandle;
	try {
		file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
	} catch (cause) {
		throw new FileUnusableError(role, path, `cannot be opened (${errnoOf(cause)})`, { cause });
	}
	try {
		const facts = await file.stat();
		if (!facts.isFile() || facts.size === 0 || facts.size > MOST_BYTES)
			throw new FileUnusableError(role, path, `is no file of 1 to ${MOST_BYTES} bytes`);
		return await file.readFile("latin1");
	} finally {
		await file.close();
	}
}
