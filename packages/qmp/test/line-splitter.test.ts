import { ProtocolError } from "@bulkhead/base";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { LineSplitter } from "../src/index.ts";

function split(bytes: Uint8Array, sizes: readonly number[], limit = 1000): { lines: string[]; refused: boolean } {
	const splitter = new LineSplitter(limit);
	const lines: string[] = [];
	let at = 0;
	try {
		for (let turn = 0; at < bytes.length; turn++) {
			const size = sizes[turn % sizes.length] ?? bytes.length;
			splitter.push(bytes.subarray(at, at + size), (line) => lines.push(line));
			at += size;
		}
	} catch (error) {
		expect(error).toBeInstanceOf(ProtocolError);
		return { lines, refused: true };
	}
	return { lines, refused: false };
}

const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 });
const line = fc.string({ unit: "grapheme", maxLength: 60 }).filter((text) => !text.includes("\n"));

describe("LineSplitter", () => {
	property.prop([fc.array(line, { maxLength: 10 }), sizes])("gives back the lines, in any chunks", (lines, cuts) => {
		const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
		expect(split(bytes, cuts)).toEqual({ lines, refused: false });
	});

	property.prop([fc.uint8Array({ maxLength: 300 }), sizes])(
		"makes the same of garbage in any chunks",
		(garbage, cuts) => {
			expect(split(garbage, cuts, 40)).toEqual(split(garbage, [garbage.length + 1], 40));
		},
	);

	it("keeps no more of a line whose bytes come one at a time", () => {
		const splitter = new LineSplitter(1 << 20);
		const byte = Buffer.from("x");
		const before = process.memoryUsage().rss;
		const lines: string[] = [];
		for (let count = 0; count < 1 << 20; count++) splitter.push(byte, (line) => lines.push(line));
		expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
		splitter.push(Buffer.from("\n"), (line) => lines.push(line));
		expect(lines.map(({ length }) => length)).toEqual([1 << 20]);
	});

	it("takes a line at its limit and refuses one byte more, before its end is seen", () => {
		expect(split(Buffer.from(`${"x".repeat(40)}\n`), [7], 40).lines).toEqual(["x".repeat(40)]);
		expect(split(Buffer.from("x".repeat(41)), [41], 40)).toEqual({ lines: [], refused: true });
	});

	it("refuses bytes that are not UTF-8, and then everything", () => {
		const splitter = new LineSplitter(100);
		expect(() => splitter.push(Uint8Array.from([0x22, 0xff, 0x22, 10]), () => {})).toThrow("UTF-8");
		expect(() => splitter.push(Buffer.from("{}\n"), () => {})).toThrow("UTF-8");
	});

	it("is not slow for a line in many small chunks", () => {
		const splitter = new LineSplitter(1_048_576);
		const lines: string[] = [];
		const byte = Buffer.from("x");
		for (let at = 0; at < 300_000; at++) splitter.push(byte, (text) => lines.push(text));
		splitter.push(Buffer.from("\n"), (text) => lines.push(text));
		expect(lines.map(({ length }) => length)).toEqual([300_000]);
	});
});
