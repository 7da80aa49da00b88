import { ProtocolError } from "@bulkhead/base";

/**
 * What the framed console socket sends after its answer line: `[u8 type][u32le length][payload]`. The other direction
 * is raw input bytes. A payload is at most 64 KiB; a longer one is a protocol error, and a parser that met an error
 * must not be used again.
 */
export const FRAME = {
	/** Console output. */
	data: 1,
	/** u64le: the client's input has reached the guest's ring up to this count. */
	acknowledged: 2,
	/** UTF-8 reason; nothing follows. */
	ended: 3,
	/** u64le: so many bytes at this place are no longer in the journal. */
	gap: 4,
	/** u64le: you are the writer, and your input is counted from here on (another's bytes came in between). */
	writer: 5,
} as const;

export type Frame =
	| { type: "data"; bytes: Uint8Array }
	| { type: "ended"; reason: string }
	| { type: "acknowledged" | "gap" | "writer"; count: number };

export const FRAME_HEADER_BYTES = 5;
export const LONGEST_PAYLOAD: number = 64 * 1024;

export function encodeData(bytes: Uint8Array): Uint8Array {
	return encode(FRAME.data, bytes);
}

export function encodeCount(type: "acknowledged" | "gap" | "writer", count: number): Uint8Array {
	const payload = Buffer.alloc(8);
	payload.writeBigUInt64LE(BigInt(count));
	return encode(FRAME[type], payload);
}

export function encodeEnded(reason: string): Uint8Array {
	return encode(FRAME.ended, Buffer.from(reason.slice(0, 1024)));
}

function encode(type: number, payload: Uint8Array): Uint8Array {
	if (payload.length > LONGEST_PAYLOAD) throw new RangeError("Console frame is too long");
	const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
	frame.writeUInt8(type, 0);
	frame.writeUInt32LE(payload.length, 1);
	frame.set(payload, FRAME_HEADER_BYTES);
	return frame;
}

/** Bytes → frames, in any chunking. Frames of unknown types are skipped: a newer relay may send more. */
export class FrameParser {
	#rest: Uint8Array = new Uint8Array(0);

	push(chunk: Uint8Array): Frame[] {
		let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
		const frames: Frame[] = [];
		while (bytes.length >= FRAME_HEADER_BYTES) {
			const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
			const length = view.getUint32(1, true);
			if (length > LONGEST_PAYLOAD) throw new ProtocolError(`Console frame claims ${length} bytes`);
			if (bytes.length < FRAME_HEADER_BYTES + length) break;
			const frame = decode(view.getUint8(0), bytes.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + length));
			if (frame) frames.push(frame);
			bytes = bytes.subarray(FRAME_HEADER_BYTES + length);
		}
		this.#rest = bytes;
		return frames;
	}
}

function decode(type: number, payload: Uint8Array): Frame | undefined {
	switch (type) {
		case FRAME.data:
			return { type: "data", bytes: payload };
		case FRAME.ended:
			return { type: "ended", reason: Buffer.from(payload).toString("utf8") };
		case FRAME.acknowledged:
			return { type: "acknowledged", count: decodeCount(payload) };
		case FRAME.gap:
			return { type: "gap", count: decodeCount(payload) };
		case FRAME.writer:
			return { type: "writer", count: decodeCount(payload) };
		default:
			return undefined;
	}
}

function decodeCount(payload: Uint8Array): number {
	if (payload.length !== 8) throw new ProtocolError("Console frame with a count has no eight bytes");
	const count = new DataView(payload.buffer, payload.byteOffset, 8).getBigUint64(0, true);
	if (count > BigInt(Number.MAX_SAFE_INTEGER)) throw new ProtocolError("Console frame has an impossible count");
	return Number(count);
}
