import { ProtocolError } from "@bulkhead/base";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { LIMITS, parseJson, parseMessage } from "../src/index.ts";

const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;

describe("parseJson", () => {
	property.prop([fc.jsonValue()])("reads JSON as JSON.parse does", (value) => {
		const text = JSON.stringify(value);
		if (text.includes("__proto__")) return;
		expect(parseJson(text, 100)).toEqual(JSON.parse(text));
	});

	property.prop([fc.string()])("makes a value or a ProtocolError of any text", (text) => {
		try {
			parseJson(text);
		} catch (error) {
			expect(error).toBeInstanceOf(ProtocolError);
		}
	});

	it("takes the deepest nesting allowed and refuses one level more", () => {
		expect(() => parseJson(nested(LIMITS.depth))).not.toThrow();
		expect(() => parseJson(nested(LIMITS.depth + 1))).toThrow("deeper");
		expect(() => parseJson("[".repeat(1_000_000))).toThrow(ProtocolError);
	});

	it("does not count brackets inside strings", () => {
		const text = `"${"[{".repeat(500)}\\"[\\\\"`;
		expect(parseJson(text)).toBe(JSON.parse(text));
	});

	it.each([
		'{"__proto__":{"admin":true}}',
		'{"a":[{"\\u005f_proto__":1}]}',
		'{"\\u005f\\u005fproto\\u005f\\u005f":{}}',
	])("refuses %s", (text) => {
		expect(() => parseJson(text)).toThrow("__proto__");
	});

	it("lets the word through as a value", () => {
		expect(parseJson('{"a":"__proto__"}')).toEqual({ a: "__proto__" });
	});
});

describe("parseMessage", () => {
	it("tells the four kinds apart", () => {
		const greeting =
			'{"QMP":{"version":{"qemu":{"micro":1,"minor":2,"major":7},"package":"x\\u001b[2J"},"capabilities":["oob"]}}';
		expect(parseMessage(greeting)).toEqual({
			kind: "greeting",
			capabilities: ["oob"],
			version: { major: 7, minor: 2, micro: 1, package: "x\\u{1b}[2J" },
		});
		expect(parseMessage('{"return":{},"id":3}')).toEqual({ kind: "return", id: 3, value: {} });
		expect(parseMessage('{"id":3,"error":{"class":"GenericError","desc":"no"}}')).toMatchObject({
			kind: "error",
			id: 3,
		});
		expect(parseMessage('{"timestamp":{"seconds":1,"microseconds":2},"event":"STOP"}')).toEqual({
			kind: "event",
			event: "STOP",
			data: {},
			timestamp: { seconds: 1, microseconds: 2 },
		});
	});

	it("takes a greeting with an odd version: nothing depends on it", () => {
		expect(parseMessage('{"QMP":{"version":{"qemu":{"major":"seven"}}}}')).toMatchObject({
			version: { major: -1, minor: -1, micro: -1, package: "" },
		});
	});

	it.each([
		["no object", "[]"],
		["null", "null"],
		["an unknown kind", '{"hello":1}'],
		["a reply without id", '{"return":{}}'],
		["a reply with a text as id", '{"return":{},"id":"1"}'],
		["an error without class", '{"error":{"desc":"x"},"id":1}'],
		["an event with an odd name", '{"event":"A B"}'],
		["an event with odd data", '{"event":"STOP","data":[]}'],
		["no JSON", "{"],
	])("refuses %s", (_, line) => {
		expect(() => parseMessage(line)).toThrow(ProtocolError);
	});

	property.prop([fc.json()])("makes a message or a ProtocolError of any JSON", (text) => {
		try {
			expect(["greeting", "return", "error", "event"]).toContain(parseMessage(text).kind);
		} catch (error) {
			expect(error).toBeInstanceOf(ProtocolError);
		}
	});
});
