import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import {
	domId,
	evtchnPort,
	grantRef,
	InvalidInputError,
	randomUuid,
	uuid,
	uuidFromBytes,
	uuidToBytes,
} from "../src/index.ts";

const ranges = [
	{ name: "domId", parse: domId, min: 0, max: 0x7fef },
	{ name: "grantRef", parse: grantRef, min: 0, max: 0xffff_ffff },
	{ name: "evtchnPort", parse: evtchnPort, min: 1, max: 0xffff_ffff },
];

describe.each(ranges)("$name", ({ parse, min, max }) => {
	test.prop([fc.integer({ min, max })])("takes every number of its range, as number and as text", (value) => {
		expect(parse(value)).toBe(value);
		expect(parse(String(value))).toBe(value);
	});

	test("takes its bounds and nothing beyond", () => {
		expect(parse(min)).toBe(min);
		expect(parse(max)).toBe(max);
		expect(() => parse(min - 1)).toThrow(InvalidInputError);
		expect(() => parse(max + 1)).toThrow(InvalidInputError);
	});

	test.each([
		Number.NaN,
		Number.POSITIVE_INFINITY,
		1.5,
		"",
		" 1",
		"1 ",
		"0x1",
		"1e3",
		"-1",
		"+1",
		"12345678901",
		"one",
	])("refuses %j with a remedy", (value) => {
		expect(() => parse(value)).toThrow(expect.objectContaining({ code: "invalid-input", remedy: expect.any(String) }));
	});

	test.prop([fc.string()])("never lets text through that is no number of its range", (text) => {
		try {
			const value: number = parse(text);
			expect(value).toBeGreaterThanOrEqual(min);
			expect(value).toBeLessThanOrEqual(max);
			expect(text).toMatch(/^\d+$/);
		} catch (error) {
			expect(error).toBeInstanceOf(InvalidInputError);
		}
	});
});

describe("uuid", () => {
	test("accepts digits with and without dashes, in either case, and answers one form", () => {
		const canonical = "00112233-4455-6677-8899-aabbccddeeff";
		expect(uuid(canonical)).toBe(canonical);
		expect(uuid(canonical.toUpperCase())).toBe(canonical);
		expect(uuid(canonical.replaceAll("-", ""))).toBe(canonical);
	});

	test.each([
		"",
		"00112233",
		"00112233-4455-6677-8899-aabbccddeef",
		"00112233-4455-6677-8899-aabbccddeefg",
		" ".repeat(36),
	])("refuses %j", (text) => {
		expect(() => uuid(text)).toThrow(InvalidInputError);
	});

	test("cuts what it quotes of an over-long text", () => {
		expect(() => uuid("x".repeat(10_000))).toThrow(/^.{0,200}$/);
	});

	test.prop([fc.uint8Array({ minLength: 16, maxLength: 16 })])("bytes and text are two forms of one thing", (bytes) => {
		const text = uuidFromBytes(bytes);
		expect(uuid(text)).toBe(text);
		expect([...uuidToBytes(text)]).toEqual([...bytes]);
	});

	test("random ones are canonical and differ", () => {
		const first = randomUuid();
		expect(uuid(first)).toBe(first);
		expect(randomUuid()).not.toBe(first);
	});
});
