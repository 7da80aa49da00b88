import type { Readable } from "node:stream";
import { ProtocolError } from "@bulkhead/base";
import { takeBytes } from "../../stream/take-bytes.ts";

/** Security types (RFC 6143 §7.1.2; 19 and its subtypes: the RFB community's registry). */
export const SECURITY = { none: 1, vnc: 2, veNCrypt: 19 } as const;
export const VENCRYPT = { x509None: 260, x509Vnc: 261 } as const;

export const VERSION_BYTES = 12;
export const OUR_VERSION: Buffer = Buffer.from("RFB 003.008\n");

/** The protocol's generations; others are taken for 3.3, as the RFC wants it. */
export type RfbMinor = 3 | 7 | 8;

/** @throws ProtocolError for what is no RFB, or of another kind */
export function parseVersion(bytes: Buffer): RfbMinor {
	const [, major, minor] = /^RFB (\d{3})\.(\d{3})\n$/.exec(bytes.toString("latin1")) ?? [];
	if (Number(major) !== 3) throw new ProtocolError("The peer does not speak RFB 3");
	return Number(minor) >= 8 ? 8 : Number(minor) === 7 ? 7 : 3;
}

export const takeByte = async (stream: Readable): Promise<number> => (await takeBytes(stream, 1)).readUInt8();
export const takeWord = async (stream: Readable): Promise<number> => (await takeBytes(stream, 4)).readUInt32BE();

export function word(value: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(value);
	return bytes;
}

/** A reason as RFB has them: its length, then its text. */
export function reasonBytes(reason: string): Buffer {
	const text = Buffer.from(reason, "latin1");
	return Buffer.concat([word(text.length), text]);
}
