import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import {
	BulkheadError,
	CancelledError,
	DeadlineError,
	errnoOf,
	InvalidInputError,
	PeerRefusedError,
	ProtocolError,
	printable,
	serializeError,
} from "../src/index.ts";

describe("the error classes", () => {
	test.each([
		[new InvalidInputError("Text"), "invalid-input", "InvalidInputError"],
		[new ProtocolError("Text"), "protocol-error", "ProtocolError"],
		[new DeadlineError("Text"), "deadline-exceeded", "DeadlineError"],
		[new CancelledError("Text"), "cancelled", "CancelledError"],
		[new PeerRefusedError("peer-said-no", "Text"), "peer-said-no", "PeerRefusedError"],
		[new InvalidInputError("Text", {}, "bad-line"), "bad-line", "InvalidInputError"],
	])("%s has a stable code and its class's name", (error, code, name) => {
		expect(error).toBeInstanceOf(BulkheadError);
		expect(error).toBeInstanceOf(Error);
		expect(error.code).toBe(code);
		expect(error.name).toBe(name);
		expect(error.fields).toEqual({});
		expect(error.remedy).toBeUndefined();
		expect("cause" in error).toBe(false);
	});
});

describe("serializeError", () => {
	test("keeps code, message, remedy, fields and the chain of causes", () => {
		const root = Object.assign(new Error("open failed"), { code: "ENOENT" });
		const middle = new PeerRefusedError("store-refused", "Could not read the node", {
			cause: root,
			fields: { path: "/a" },
		});
		const error = new InvalidInputError("Bad guest", { cause: middle, remedy: "Give another" });
		expect(serializeError(error)).toEqual({
			code: "invalid-input",
			message: "Bad guest",
			remedy: "Give another",
			cause: {
				code: "store-refused",
				message: "Could not read the node",
				fields: { path: "/a" },
				cause: { code: "ENOENT", message: "open failed" },
			},
		});
	});

	test("an unknown thing is internal", () => {
		expect(serializeError("text")).toEqual({ code: "internal", message: "text" });
		expect(serializeError(undefined)).toEqual({ code: "internal", message: "undefined" });
		expect(serializeError(new TypeError("wrong"))).toEqual({ code: "internal", message: "wrong" });
	});

	test("a cause that leads back to itself ends", () => {
		const error = new Error("round");
		error.cause = error;
		let depth = 0;
		for (let at = serializeError(error).cause; at; at = at.cause) depth++;
		expect(depth).toBe(8);
	});
});

describe("errnoOf", () => {
	test("names system errors only", () => {
		expect(errnoOf(Object.assign(new Error(), { code: "EPERM" }))).toBe("EPERM");
		expect(errnoOf(Object.assign(new Error(), { code: "ERR_INVALID_ARG" }))).toBeUndefined();
		expect(errnoOf(Object.assign(new Error(), { code: 2 }))).toBeUndefined();
		expect(errnoOf(new Error("EPERM"))).toBeUndefined();
		expect(errnoOf({ code: "EPERM" })).toBeUndefined();
	});
});

describe("printable", () => {
	test("escapes what a terminal would obey", () => {
		expect(printable("plain text ~")).toBe("plain text ~");
		expect(printable("\x1b[2J\r\n\0")).toBe("\\u{1b}[2J\\u{d}\\u{a}\\u{0}");
	});

	test("cuts long text and says so", () => {
		expect(printable("a".repeat(600))).toBe(`${"a".repeat(512)}…`);
		expect(printable("abcdef", 3)).toBe("abc…");
		expect(printable("abc", 3)).toBe("abc");
	});

	test.prop([fc.string({ unit: "binary", maxLength: 200 })])("answers printable ASCII whatever it is given", (text) => {
		expect(printable(text)).toMatch(/^[\x20-\x7e…]*$/);
	});
});
