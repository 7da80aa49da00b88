import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { editKernelSource } from "../src/kernel-edits.ts";

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), "bulkhead-edits-"));
});
afterEach(() => rm(dir, { recursive: true }));

const edit = { file: "a.c", after: "two();", insert: "\tthree();" };

test("a line is put after the one that is named", async () => {
	await writeFile(join(dir, "a.c"), "one();\n\ttwo();\nfour();\n");
	await editKernelSource(dir, [edit]);
	expect(await readFile(join(dir, "a.c"), "utf8")).toBe("one();\n\ttwo();\n\tthree();\nfour();\n");
});

test.each([
	["no line", "one();\n", 0],
	["two lines", "two();\ntwo();\n", 2],
])("a source with %s of that kind is refused and left as it is", async (_, text, found) => {
	await writeFile(join(dir, "a.c"), text);
	await expect(editKernelSource(dir, [edit])).rejects.toMatchObject({
		code: "kernel-edit-misfits",
		fields: { file: "a.c", found },
	});
	expect(await readFile(join(dir, "a.c"), "utf8")).toBe(text);
});
