import { ProtocolError } from "@bulkhead/base";
import { XenstoreError } from "../errors.ts";
import { decodeDirectoryPart, decodeStrings } from "../wire/payload.ts";

/** Bytes of names that one directory may have here. xenstored's own quota keeps domains far below. */
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_RESTARTS = 32;

/**
 * A directory above one message's size, by DIRECTORY_PART: parts follow each other by byte offset, an empty last name
 * marks the end, and a changed generation means starting again (docs/misc/xenstore.txt).
 * @throws XenstoreError when the directory keeps changing; ProtocolError
 */
export async function listInParts(path: string, ask: (offset: number) => Promise<Buffer>): Promise<string[]> {
	for (let attempt = 0; attempt <= MOST_RESTARTS; attempt++) {
		const names = await findWholeList(ask);
		if (names) return names;
	}
	throw new XenstoreError("xenstore-conflict", `Directory ${path} changes faster than it can be listed`, {
		operation: "DIRECTORY_PART",
		path,
	});
}

/** Undefined when the directory changed on the way. */
async function findWholeList(ask: (offset: number) => Promise<Buffer>): Promise<string[] | undefined> {
	const parts: Buffer[] = [];
	let expected: string | undefined;
	for (let offset = 0; offset <= MOST_BYTES; ) {
		const { generation, names } = decodeDirectoryPart(await ask(offset));
		if (expected !== undefined && generation !== expected) return undefined;
		expected = generation;
		if (isLastPart(names)) return decodeStrings(Buffer.concat([...parts, names.subarray(0, -1)]));
		if (names.length === 0) throw new ProtocolError("Part of a directory is empty but not the last");
		parts.push(names);
		offset += names.length;
	}
	throw new ProtocolError(`Directory has more than ${MOST_BYTES} bytes of names`);
}

/** Ends with an empty name: a lone NUL, or one more after a name's own. */
function isLastPart(names: Buffer): boolean {
	return names.at(-1) === 0 && (names.length === 1 || names.at(-2) === 0);
}
