import { lstatSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { BulkheadError, errnoOf, InvalidInputError } from "@bulkhead/base";

/** sockaddr_un.sun_path holds 108 bytes, the terminating zero included (unix(7)). */
const LONGEST_PATH = 107;

/**
 * Listens on a unix socket path, in place of a socket that lies there. Whatever else lies there is not touched.
 * Restrict access by the directory and the umask: there is a moment before a later chmod.
 */
export async function listen(server: Server, path: string): Promise<void> {
	if (Buffer.byteLength(path) > LONGEST_PATH)
		throw new InvalidInputError(`Path ${path} is too long for a unix socket`, {
			remedy: `Choose directories so that it has at most ${LONGEST_PATH} bytes`,
		});
	removeSocket(path);
	await new Promise<void>((resolve, reject) => {
		server.once("error", (error) => {
			reject(new BulkheadError("cannot-listen", `Cannot listen on ${path}`, { cause: error, fields: { path } }));
		});
		server.listen({ path }, resolve);
	});
}

/** Removes a unix socket; nothing there, or something else there, is left alone. */
export function removeSocket(path: string): void {
	try {
		if (lstatSync(path).isSocket()) rmSync(path, { force: true });
	} catch (error) {
		if (errnoOf(error) !== "ENOENT") throw error;
	}
}
