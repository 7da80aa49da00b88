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
export function encodeMessage({ type, requestId, transactionId, payload }: Message): Buffer {
	if (payload.length > LIMITS.payload) throw new RangeError(`Payload of ${payload.length} bytes is too long`);
	const message = Buffer.allocUnsafe(LIMITS.header + payload.length);
	message.writeUInt32LE(type, 0);
	message.writeUInt32LE(requestId, 4);
	message.writeUInt32LE(transactionId, 8);
	message.writeUInt32LE(payload.length, 12);
	payload.copy(message, LIMITS.header);
	return message;
}
