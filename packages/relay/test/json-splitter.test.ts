import { ProtocolError } from "@bulkhead/base";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { JsonSplitter } from "../src/qmp/local/json-splitter.ts";

function split(text: string, limit = 1000, pieces = [text.length]): string[] {
	const splitter = new JsonSplitter(limit);
	const found: string[] = [];
	const bytes = Buffer.from(text);
	let at = 0;
	for (const length of [...pieces, bytes.length]) {
		splitter.push(bytes.subarray(at, at + length), (each) => found.push(each));
		at += length;
	}
	return found;
}

describe("JsonSplitter", () => {
	it.each([
		['{"a":1}{"b":2}', ['{"a":1}', '{"b":2}']],
		[' \r\n{"a":"}\\"]"}\r\n\n[[]]', ['{"a":"}\\"]"}', "[[]]"]],
		['{"a":\n{"b":[1,\n2]}}', ['{"a":\n{"b":[1,\n2]}}']],
		["nonsense\n{}", ["nonsense\n", "{}"]],
		['{"a":"cut\n{}', ['{"a":"cut\n', "{}"]],
		['{"a":', []],
		["}\n{}", ["}\n", "{}"]],
	])("cuts %j", (text, expected) => {
		expect(split(text)).toEqual(expected);
	});

	property.prop([
		fc.array(
			fc.tuple(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), fc.constantFrom("", "\n", "\r\n", " ")),
		),
		fc.array(fc.integer({ min: 1, max: 20 })),
	])("any objects come out as they went in, however they are cut up", (values, pieces) => {
		const text = values.map(([value, end]) => JSON.stringify(value) + end).join("");
		expect(split(text, 100_000, pieces)).toEqual(values.map(([value]) => JSON.stringify(value)));
	});

	it("permits what is exactly at the limit and nothing above", () => {
		const text = JSON.stringify({ a: "x".repeat(92) });
		expect(text).toHaveLength(100);
		expect(split(text, 100)).toEqual([text]);
		expect(() => split(text, 99)).toThrow(ProtocolError);
		expect(() => split("x".repeat(101), 100)).toThrow(ProtocolError);
		expect(() => split(`{"a":"${"x".repeat(200)}`, 100, [50, 50])).toThrow(ProtocolError);
	});

	it("refuses what is not UTF-8", () => {
		const splitter = new JsonSplitter(100);
		expect(() => splitter.push(Buffer.from([0x7b, 0xff, 0x7d]), () => {})).toThrow(ProtocolError);
	});
});
