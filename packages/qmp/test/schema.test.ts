import { ProtocolError } from "@bulkhead/base";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { checkEvent, checkResult, isKnownCommand } from "../src/commands.ts";
import { checkValue, type Shapes } from "../src/schema/check-value.ts";

const SHAPES: Shapes = {
	results: {},
	events: {},
	objects: {
		Node: { members: { name: "str", "next?": "Node", "size?": "int", "way?": "Way" } },
		Union: { members: { kind: "enum" }, tag: "kind", variants: { disk: "Disk", none: "nothing" } },
		Disk: { members: { file: "str" } },
	},
	alternates: { Way: ["str", "Disk"] },
};

function isRight(type: string, value: unknown): boolean {
	try {
		checkValue(SHAPES, type, value, "it");
		return true;
	} catch (error) {
		expect(error).toBeInstanceOf(ProtocolError);
		return false;
	}
}

describe("checkValue", () => {
	it.each([
		["str", "x", true],
		["str", 1, false],
		["str", "x".repeat(64 * 1024 + 1), false],
		["int", 2 ** 63, true],
		["int", 1.5, false],
		["int", 2 ** 65, false],
		["number", 1.5, true],
		["bool", 0, false],
		["enum", "guest-panic", true],
		["enum", "\u001b[2J", false],
		["[]int", [1, 2], true],
		["[]int", [1, "2"], false],
		["[]int", Array.from({ length: 16 * 1024 + 1 }, () => 0), false],
		["Node", { name: "a", next: { name: "b", size: 1 } }, true],
		["Node", { name: "a", next: { size: 1 } }, false],
		["Node", { name: "a", colour: "red" }, true],
		["Node", [], false],
		["Node", null, false],
		["Node", { name: "a", way: { file: "f" } }, true],
		["Node", { name: "a", way: 5 }, false],
		["Union", { kind: "disk", file: "f" }, true],
		["Union", { kind: "disk" }, false],
		["Union", { kind: "none" }, true],
		["Union", { kind: "constructor" }, true],
		["Union", { kind: "newer", speed: 1 }, true],
	])("%s %j: %s", (type, value, expected) => {
		expect(isRight(type, value)).toBe(expected);
	});

	it("names the place of what is wrong and never the value", () => {
		const value = { name: "a", next: { name: "b", next: { name: "\u001b]0;evil" } } };
		expect(() => checkValue(SHAPES, "Node", { ...value, size: "\u001b[31m" }, "answer")).toThrow(
			/^QEMU's answer\.size is no int$/,
		);
	});

	property.prop([fc.jsonValue({ maxDepth: 8 })])("any JSON passes or is a ProtocolError", (value) => {
		for (const type of Object.keys(SHAPES.objects)) isRight(type, value);
	});
});

describe("QEMU's own shapes", () => {
	it("check answers of known commands and let others pass", () => {
		expect(isKnownCommand("query-block")).toBe(true);
		expect(isKnownCommand("toString")).toBe(false);
		checkResult("query-status", { running: true, status: "running" });
		checkResult("query-something-new", "anything");
		expect(() => checkResult("query-status", { running: true, status: 5 })).toThrow(ProtocolError);
		expect(() => checkResult("query-fdsets", [{ "fdset-id": -0.5, fds: [] }])).toThrow(ProtocolError);
	});

	it("check the data of events", () => {
		checkEvent("SHUTDOWN", { guest: true, reason: "guest-shutdown" });
		checkEvent("STOP", undefined);
		checkEvent("NEWER_EVENT", { any: 1 });
		expect(() => checkEvent("SHUTDOWN", {})).toThrow(ProtocolError);
		expect(() => checkEvent("DEVICE_TRAY_MOVED", { device: "", id: "", "tray-open": "yes" })).toThrow(ProtocolError);
	});
});
