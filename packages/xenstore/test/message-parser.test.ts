import { ProtocolError } from "@bulkhead/base";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { encodeMessage, LIMITS, type Message, MessageParser } from "../src/wire/index.ts";

const u32 = fc.nat(0xffff_ffff);
const message = fc.record({
	type: u32,
	requestId: u32,
	transactionId: u32,
	payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

/** Feeds the bytes in chunks of the given sizes, over and over. What was delivered, and whether it ended in refusal. */
function parse(bytes: Uint8Array, sizes: readonly number[]): { messages: Message[]; refused: boolean } {
	const parser = new MessageParser();
	const messages: Message[] = [];
	let at = 0;
	try {
		for (let turn = 0; at < bytes.length; turn++) {
			const size = sizes[turn % sizes.length] ?? bytes.length;
			parser.push(bytes.subarray(at, at + size), (found) => messages.push(found));
			at += size;
		}
	} catch (error) {
		expect(error).toBeInstanceOf(ProtocolError);
		return { messages, refused: true };
	}
	return { messages, refused: false };
}

const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 });

describe("MessageParser", () => {
	property.prop([fc.array(message, { maxLength: 10 }), sizes])(
		"gives back what was encoded, in any chunks",
		(sent, cuts) => {
			const bytes = Buffer.concat(sent.map(encodeMessage));
			expect(parse(bytes, cuts)).toEqual({ messages: sent, refused: false });
		},
	);

	property.prop([fc.uint8Array({ maxLength: 500 }), sizes])(
		"makes the same of garbage in any chunks",
		(garbage, cuts) => {
			expect(parse(garbage, cuts)).toEqual(parse(garbage, [garbage.length + 1]));
		},
	);

	property.prop([fc.array(fc.nat(40), { maxLength: 30 })])("makes the same of short frames of garbage", (lengths) => {
		const bytes = Buffer.concat(
			lengths.map((length) => {
				const frame = Buffer.alloc(LIMITS.header + length, 0xab);
				frame.writeUInt32LE(length * 150, 12);
				return frame;
			}),
		);
		expect(parse(bytes, [1])).toEqual(parse(bytes, [bytes.length + 1]));
	});

	it("takes the largest payload and refuses one byte more", () => {
		const largest = { type: 2, requestId: 1, transactionId: 0, payload: Buffer.alloc(LIMITS.payload, 7) };
		expect(parse(encodeMessage(largest), [1000])).toEqual({ messages: [largest], refused: false });
		const header = Buffer.alloc(LIMITS.header);
		header.writeUInt32LE(LIMITS.payload + 1, 12);
		expect(parse(header, [16])).toEqual({ messages: [], refused: true });
		expect(() => encodeMessage({ ...largest, payload: Buffer.alloc(LIMITS.payload + 1) })).toThrow(RangeError);
	});

	it("takes a longer payload where it is told to, and goes on with shorter ones", () => {
		const parser = new MessageParser({ payloadBytes: 100_000 });
		const sent = [20_000, 5, 100_000, 0].map((length, requestId) => {
			const header = Buffer.alloc(LIMITS.header);
			header.writeUInt32LE(requestId, 4);
			header.writeUInt32LE(length, 12);
			return Buffer.concat([header, Buffer.alloc(length, requestId)]);
		});
		const found: Message[] = [];
		const bytes = Buffer.concat(sent);
		for (let at = 0; at < bytes.length; at += 999) parser.push(bytes.subarray(at, at + 999), (m) => found.push(m));
		expect(found.map(({ requestId, payload }) => [requestId, payload.length])).toEqual([
			[0, 20_000],
			[1, 5],
			[2, 100_000],
			[3, 0],
		]);
		expect(found[2]?.payload.every((byte) => byte === 2)).toBe(true);
		const header = Buffer.alloc(LIMITS.header);
		header.writeUInt32LE(100_001, 12);
		expect(() => parser.push(header, () => {})).toThrow(ProtocolError);
	});

	it("takes nothing more after a refusal", () => {
		const parser = new MessageParser();
		const bad = Buffer.alloc(LIMITS.header, 0xff);
		expect(() => parser.push(bad, () => {})).toThrow(ProtocolError);
		const good = encodeMessage({ type: 2, requestId: 1, transactionId: 0, payload: Buffer.alloc(0) });
		expect(() => parser.push(good, () => {})).toThrow(ProtocolError);
	});

	it("hands out copies: the next chunk does not change an earlier payload", () => {
		const parser = new MessageParser();
		const found: Message[] = [];
		for (const text of ["first", "other"]) {
			const payload = Buffer.from(text);
			parser.push(encodeMessage({ type: 2, requestId: 1, transactionId: 0, payload }), (m) => found.push(m));
		}
		expect(found.map(({ payload }) => payload.toString())).toEqual(["first", "other"]);
		expect(parser.isIdle).toBe(true);
	});

	it("encodes a request as xs_wire.h says", () => {
		const bytes = encodeMessage({ type: 2, requestId: 0x0102, transactionId: 3, payload: Buffer.from("/a\0") });
		expect(bytes.toString("hex")).toBe("02000000020100000300000003000000" + "2f6100");
	});
});
