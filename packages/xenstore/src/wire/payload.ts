import { ProtocolError } from "@bulkhead/base";

const NUL = 0;

/** Strings, each followed by a NUL: the form of nearly all requests. */
export function encodeStrings(...strings: readonly (string | number)[]): Buffer {
	let text = "";
	for (const each of strings) text += `${each}\0`;
	return Buffer.from(text, "utf8");
}

/** NUL-terminated strings; a last one without its NUL counts too (xenstored ends some replies so). */
export function decodeStrings(payload: Uint8Array): string[] {
	const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString("utf8");
	if (text === "") return [];
	return (text.endsWith("\0") ? text.slice(0, -1) : text).split("\0");
}

/** WRITE: a path, NUL, then the value as it is. */
export function encodeWrite(path: string, value: Uint8Array): Buffer {
	const valueAt = Buffer.byteLength(path) + 1;
	const payload = Buffer.allocUnsafe(valueAt + value.length);
	payload.write(path);
	payload[valueAt - 1] = NUL;
	payload.set(value, valueAt);
	return payload;
}

/** The one string of a reply, without the NUL that some replies carry. */
export function decodeText(payload: Buffer): string {
	const end = payload.indexOf(NUL);
	return payload.toString("utf8", 0, end === -1 ? payload.length : end);
}

/** WATCH_EVENT: path and token. @throws ProtocolError */
export function decodeWatchEvent(payload: Buffer): { path: string; token: string } {
	const [path, token] = decodeStrings(payload);
	if (path === undefined || token === undefined) throw new ProtocolError("Watch event lacks its path or token");
	return { path, token };
}

/** DIRECTORY_PART: the node's generation, then the bytes of the list of names from the asked offset on. */
export function decodeDirectoryPart(payload: Buffer): { generation: string; names: Buffer } {
	const end = payload.indexOf(NUL);
	if (end <= 0) throw new ProtocolError("Part of a directory lacks its generation");
	return { generation: payload.toString("latin1", 0, end), names: payload.subarray(end + 1) };
}
