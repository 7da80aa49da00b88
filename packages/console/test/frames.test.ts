import { ProtocolError } from "@bulkhead/base";
import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { encodeCount, encodeData, encodeEnded, type Frame, FrameParser } from "../src/session/frames.ts";

describe("console frames", () => {
	test.prop([
		fc.uint8Array({ maxLength: 300 }),
		fc.maxSafeNat(),
		fc.string({ maxLength: 50 }),
		fc.integer({ min: 1, max: 40 }),
	])("come out the same in any chunking", (bytes, count, reason, chunk) => {
		const wire = Buffer.concat([
			encodeData(bytes),
			encodeCount("acknowledged", count),
			encodeCount("gap", count),
			encodeCount("writer", count),
			Buffer.from([99, 1, 0, 0, 0, 7]),
			encodeEnded(reason),
		]);
		const parser = new FrameParser();
		const frames: Frame[] = [];
		for (let at = 0; at < wire.length; at += chunk) frames.push(...parser.push(wire.subarray(at, at + chunk)));
		expect(frames).toEqual([
			{ type: "data", bytes: Buffer.from(bytes) },
			{ type: "acknowledged", count },
			{ type: "gap", count },
			{ type: "writer", count },
			{ type: "ended", reason: Buffer.from(reason).toString() },
		]);
	});

	it("has the bytes that are documented", () => {
		expect(Buffer.from(encodeData(Buffer.from("hi"))).toString("hex")).toBe("01020000006869");
		expect(Buffer.from(encodeCount("gap", 258)).toString("hex")).toBe("04080000000201000000000000");
	});

	it("refuses lengths and counts that cannot be", () => {
		expect(() => new FrameParser().push(Buffer.from([1, 1, 0, 1, 0]))).toThrow(ProtocolError);
		expect(() => new FrameParser().push(Buffer.from([2, 1, 0, 0, 0, 0]))).toThrow(ProtocolError);
		expect(() => new FrameParser().push(Buffer.concat([Buffer.from([2, 8, 0, 0, 0]), Buffer.alloc(8, 255)]))).toThrow(
			ProtocolError,
		);
		expect(() => encodeData(new Uint8Array(65_537))).toThrow(RangeError);
		expect(new FrameParser().push(encodeData(new Uint8Array(65_536)))).toHaveLength(1);
	});
});
