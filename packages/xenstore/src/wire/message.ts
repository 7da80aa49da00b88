import { LIMITS } from "./limits.ts";

/** One message either way: requests, replies, errors and watch events share the form. */
export interface Message {
	/** See OPERATION; unknown types are passed on as they are. */
	type: number;
	/** Chosen by the client and repeated in the reply; 0 in watch events. */
	requestId: number;
	/** 0 outside a transaction. */
	transactionId: number;
	payload: Buffer;
}

/** @throws RangeError when the payload is above the protocol's limit: callers check first and say it better */
export function encodeMessage(message: Message): Buffer {
	const { length } = message.payload;
	if (length > LIMITS.payload) throw new RangeError(`Payload of ${length} bytes is too long`);
	const bytes = Buffer.allocUnsafe(LIMITS.header + length);
	writeMessage(bytes, 0, message);
	return bytes;
}

/** Writes a message at an offset. The buffer has room for it. @returns the offset behind it */
export function writeMessage(
	into: Buffer,
	at: number,
	{ type, requestId, transactionId, payload }: Omit<Message, "payload"> & { payload: Uint8Array },
): number {
	into.writeUInt32LE(type, at);
	into.writeUInt32LE(requestId, at + 4);
	into.writeUInt32LE(transactionId, at + 8);
	into.writeUInt32LE(payload.length, at + 12);
	into.set(payload, at + LIMITS.header);
	return at + LIMITS.header + payload.length;
}
