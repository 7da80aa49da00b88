import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ContentCache } from "@bulkhead/image";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundleProgram } from "../../src/bundles.ts";
import { compileProgram } from "../../src/cached-program/compile.ts";
import { compiledCode } from "../../src/cached-program/compiled-code.ts";

const SOURCE = `
console.log("arguments", process.argv.slice(2).join(" "), require("node:path").sep);
process.exitCode = 3;
`;
const PROGRAMS = join(import.meta.dirname, "../../src/cached-program");

describe("a command installed with its compiled code", () => {
	let directory: string;
	let program: string;

	beforeEach(async () => {
		directory = await mkdtemp(join(tmpdir(), "compiled-code-test-"));
		program = join(directory, "command.cjs");
		await writeFile(program, await bundleProgram(join(PROGRAMS, "run.ts"), "cjs"));
		await writeFile(`${program}.source`, SOURCE);
	});
	afterEach(() => rm(directory, { recursive: true }));

	const runIt = (): Promise<{ code?: number; stdout: string }> =>
		promisify(execFile)(process.execPath, [program, "a", "b"]).catch((error) => error);

	it("runs with its arguments and its exit code, with the code, without, and with one that is not its own", async () => {
		const expected = { code: 3, stdout: "arguments a b /\n" };
		expect(await runIt()).toMatchObject(expected);
		const writer = await bundleProgram(join(PROGRAMS, "write-cache.ts"), "cjs");
		const cache = new ContentCache(join(directory, "cache"));
		await copyFile(await compiledCode(SOURCE, writer, ["trial"], cache), `${program}.cache`);
		expect(compileProgram(program).script.cachedDataRejected).toBe(false);
		expect(await runIt()).toMatchObject(expected);
		await writeFile(`${program}.cache`, "not V8's");
		expect(compileProgram(program).script.cachedDataRejected).toBe(true);
		expect(await runIt()).toMatchObject(expected);
	});
});
