import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { parseTree, SourceText } from "../src/index.ts";
import { grammar } from "./grammar.ts";

const FILE = "g.cfg";
const TEXT = `# a guest
name = 'web'   # its name
memory=0x100;vcpus = 2

disk = [
	"/a,raw,hda",   # the system
	'/b,raw,hdb',
]
disk += [ "/c,raw,hdc" ]
`;

describe("SourceText", () => {
	test.prop([fc.oneof(fc.string(), fc.string({ unit: "binary" }), grammar)])("prints any text as it was", (text) => {
		expect(new SourceText(text, FILE).print()).toBe(text);
	});

	it("changes a value within a list and nothing else", () => {
		const source = new SourceText(TEXT, FILE);
		const disks = source.assignments[3]?.value;
		const second = disks?.kind === "list" ? disks.items[1] : undefined;
		expect(second).toBeDefined();
		if (second) source.replace(second, '/"new",raw,hdb');
		expect(source.print()).toBe(TEXT.replace("'/b,raw,hdb'", String.raw`"/\"new\",raw,hdb"`));
	});

	it("sets a key where it stands, or at the end", () => {
		const source = new SourceText(TEXT, FILE);
		source.set("memory", 512);
		source.set("disk", []);
		source.set("rtc_timeoffset", -3600);
		source.set("vif", ["mac=00:16:3e:01:02:03", ""]);
		const text = source.print();
		expect(text).toBe(
			`${TEXT.replace("memory=0x100", "memory = 512").replace('disk += [ "/c,raw,hdc" ]', "disk = [ ]")}rtc_timeoffset = "-3600"\nvif = [ "mac=00:16:3e:01:02:03", "" ]\n`,
		);
		expect(parseTree(text, FILE)).toHaveLength(7);
	});

	it("ends a last line that has no newline before it adds one", () => {
		const source = new SourceText("name = 'a'", FILE);
		source.set("vcpus", 2);
		expect(source.print()).toBe("name = 'a'\nvcpus = 2\n");
	});

	it("keeps what it cannot read, and tells of it", () => {
		const source = new SourceText("acpi = yes\nvcpus = 1\n", FILE);
		expect(source.problems.map(({ line, message }) => [line, message])).toEqual([[1, "The word yes is not a value"]]);
		source.set("vcpus", 3);
		expect(source.print()).toBe("acpi = yes\nvcpus = 3\n");
	});

	test.prop([grammar, fc.string(), fc.integer()])("reads back what was set, in any text", (text, word, number) => {
		const source = new SourceText(text, FILE);
		for (const { value } of source.assignments) source.replace(value, [word, number]);
		const again = new SourceText(source.print(), FILE);
		expect(again.assignments.map(({ key }) => key)).toEqual(source.assignments.map(({ key }) => key));
		for (const { value } of again.assignments)
			expect(value.kind === "list" ? value.items[0] : value).toMatchObject({ kind: "string", value: word });
	});
});
