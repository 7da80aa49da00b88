import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { formatGuestConfig, guestConfigFromJson, parseDiskSpec, parseTree, XlCfgError } from "../src/index.ts";
import { quoteString } from "../src/text/string-escapes.ts";
import { guest } from "./arbitrary-guest.ts";
import { grammar } from "./grammar.ts";
import { HVM, parse } from "./guests.ts";

describe("a config", () => {
	test.prop([guest])("formatted and parsed again is the same", (config) => {
		const { config: again } = parse(formatGuestConfig(config));
		expect(again).toEqual(config);
	});

	test.prop([guest])("stored and read back is the same", (config) => {
		expect(guestConfigFromJson(JSON.parse(JSON.stringify(config)))).toEqual(config);
	});
});

describe("garbage", () => {
	test.prop([fc.oneof(fc.string(), fc.string({ unit: "binary" }), grammar)])(
		"gives a config or an XlCfgError that points into the text",
		(text) => {
			const lines = text.split("\n");
			try {
				parse(text);
			} catch (error) {
				if (!(error instanceof XlCfgError)) throw error;
				for (const { line, column } of error.problems) {
					expect(line).toBeLessThanOrEqual(lines.length);
					expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
				}
			}
		},
	);

	test.prop([grammar])("in an override is told as the argument's", (override) => {
		try {
			expect(parse(HVM, { overrides: [override] }).config.memoryKiB).toBe(256 * 1024);
		} catch (error) {
			if (!(error instanceof XlCfgError)) throw error;
			for (const { file } of error.problems) expect(file).toMatch(/^argument /);
		}
	});

	test.prop([fc.string()])("as a disk gives a specification or an error", (text) => {
		try {
			expect(parseDiskSpec(text)).toHaveProperty("flags");
		} catch (error) {
			expect(error).toMatchObject({ code: "invalid-input" });
		}
	});

	test.prop([fc.string({ unit: "binary" })])("quoted is a string again", (text) => {
		expect(parseTree(`a = ${quoteString(text)}`, "f")[0]?.value).toMatchObject({ kind: "string", value: text });
	});
});
