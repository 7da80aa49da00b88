import { ProtocolError } from "@bulkhead/base";
import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { LineSplitter } from "../../src/relay/line-splitter.ts";

describe("LineSplitter", () => {
	test.prop([fc.array(fc.string({ unit: "grapheme", maxLength: 30 })), fc.integer({ min: 1, max: 20 })])(
		"gives the same lines in any chunking",
		(texts, chunk) => {
			const lines = texts.map((text) => text.replaceAll("\n", "|"));
			const wire = Buffer.from(lines.map((line) => `${line}\n`).join(""));
			const splitter = new LineSplitter(1000);
			const found: string[] = [];
			for (let at = 0; at < wire.length; at += chunk) found.push(...splitter.push(wire.subarray(at, at + chunk)));
			expect(found).toEqual(lines);
		},
	);

	it("takes a line at its limit and none above it", () => {
		expect(new LineSplitter(5).push(Buffer.from("12345\nab\n"))).toEqual(["12345", "ab"]);
		expect(() => new LineSplitter(5).push(Buffer.from("123456"))).toThrow(ProtocolError);
		expect(() => new LineSplitter(5).push(Buffer.from("12345\n123456\n"))).toThrow(ProtocolError);
	});

	it("refuses what is not UTF-8", () => {
		expect(() => new LineSplitter(5).push(Buffer.from([0xc3, 0x28, 0x0a]))).toThrow(ProtocolError);
	});
});
