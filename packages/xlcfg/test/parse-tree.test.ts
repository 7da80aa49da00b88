import { describe, expect, it } from "vitest";
import { parseTree, XlCfgError } from "../src/index.ts";

function problemsOf(text: string): string[] {
	try {
		parseTree(text, "g.cfg");
	} catch (error) {
		if (error instanceof XlCfgError)
			return error.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
		throw error;
	}
	return [];
}

const parsedValue = (text: string): unknown => parseTree(`key = ${text}`, "g.cfg")[0]?.value;

describe("parseTree", () => {
	it("knows where every key and value stands", () => {
		const tree = parseTree("# a guest\nname = \"a\"\n\tdisk=[ 'b',\n\t 0x1f, ]; vcpus = 2", "g.cfg");
		expect(tree).toMatchObject([
			{
				key: "name",
				operator: "=",
				file: "g.cfg",
				line: 2,
				column: 1,
				value: { kind: "string", value: "a", line: 2, column: 8 },
			},
			{
				key: "disk",
				operator: "=",
				file: "g.cfg",
				line: 3,
				column: 2,
				value: {
					kind: "list",
					line: 3,
					column: 7,
					items: [
						{ kind: "string", value: "b", line: 3, column: 9 },
						{ kind: "number", text: "0x1f", line: 4, column: 3 },
					],
				},
			},
			{
				key: "vcpus",
				operator: "=",
				file: "g.cfg",
				line: 4,
				column: 12,
				value: { kind: "number", text: "2", line: 4, column: 20 },
			},
		]);
	});

	it.each([
		["an empty file", ""],
		["comments only, the last without a newline", "# one\n# two"],
		["DOS line ends", 'a = 1\r\nb = "x"\r\n'],
		["a carriage return at the very end", "a = 1\r"],
		["several assignments in a line", "a = 1; b = 2;;"],
		["newlines and comments in a list", "a = [ # first\n\n1,\n# second\n2\n]"],
		["nested lists", "a = [ [ 1, 2 ], [ ] ]"],
	])("reads %s", (_, text) => {
		expect(problemsOf(text)).toEqual([]);
	});

	it.each([
		["both kinds of quotes", `'a"b'`, 'a"b'],
		["quotes hidden by a backslash", String.raw`"a\"b"`, 'a"b'],
		["every plain escape", String.raw`"\\\a\b\f\n\r\t\v\'"`, "\\\x07\b\f\n\r\t\v'"],
		["hexadecimal escapes of two digits", String.raw`"\x41\x6a1"`, "Aj1"],
		["octal escapes of three digits", String.raw`"\101\0601"`, "A01"],
		["a hash within a string", '"a # b"', "a # b"],
	])("reads %s", (_, text, value) => {
		expect(parsedValue(text)).toMatchObject({ kind: "string", value });
	});

	it.each([
		["a bare word", "acpi = yes", ["1:8 The word yes is not a value"]],
		["a missing value", "a =\nb = 1", ["1:4 A value is missing"]],
		["a missing equals sign", "name 'x'", ["1:6 Key name is not followed by ="]],
		["text behind a value", "a = 1 2", ["1:7 Unexpected text after the value of a"]],
		["a line without a key", "= 1", ["1:1 A line begins with a key"]],
		["an open string", 'a = "b\nc = 1', ["1:5 The string is not closed on its line"]],
		["a backslash before the line's end", 'a = "b\\\nc = 1', ["1:5 The string is not closed on its line"]],
		["an unknown escape, at its own column", '  a = "bc\\q"', ['1:10 Escape "\\\\q" is not known']],
		["a short hexadecimal escape", '"\\x4"'.replace(/^/, "a = "), ["1:6 Escape \\x needs two hexadecimal digits"]],
		["an octal escape above a byte", 'a = "\\777"', ["1:6 Escape \\777 is above \\377"]],
		["upper case", "Name = 1", ['1:1 The characters "Name" do not belong here']],
		["Python", "a = (1)", ['1:5 The characters "(1)" do not belong here']],
		["a carriage return within a line", "a = \r 1", ['1:5 The characters "\\r " do not belong here']],
		["a comma without an item", "a = [ , ]", ["1:7 A value is missing"]],
		["two commas", "a = [ 1,, 2 ]", ["1:9 A value is missing"]],
		["a missing comma", "a = [ 1 2 ]", ["1:9 The list begun in line 1 lacks a comma or its closing bracket"]],
		["a list that never ends", "a = [ 1,\n2\n", ["3:1 The list begun in line 1 lacks a comma or its closing bracket"]],
		["lists without bottom", `a = ${"[".repeat(17)}`, ["1:21 Lists are nested deeper than 16"]],
	])("refuses %s", (_, text, problems) => {
		expect(problemsOf(text)).toEqual(problems);
	});

	it("tells every broken assignment once and reads on at the next key", () => {
		const text = "a = yes\nb = [ 1 2,\n 3,\n 'x\n]\nc = 3 4\nd = 1";
		expect(problemsOf(text)).toEqual([
			"1:5 The word yes is not a value",
			"2:9 The list begun in line 2 lacks a comma or its closing bracket",
			"6:7 Unexpected text after the value of c",
		]);
	});

	it("stops collecting after twenty problems", () => {
		expect(problemsOf("a = yes\n".repeat(100))).toHaveLength(20);
	});

	it("carries file, line, column and remedy in the error's fields", () => {
		const error = (() => {
			try {
				return parseTree("x = 1\nacpi = true", "guest.cfg");
			} catch (thrown) {
				return thrown;
			}
		})();
		expect(error).toMatchObject({
			code: "bad-guest-config",
			message: "guest.cfg:2:8: The word true is not a value",
			remedy: "Write 1",
			fields: { file: "guest.cfg", line: 2, column: 8 },
		});
	});
});
