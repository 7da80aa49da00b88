import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { bundleProgram, existingPrograms, REPOSITORY } from "../../src/bundles.ts";

const programs = await existingPrograms();

// A bundle is not compiled down as the packages are: what this Node cannot parse shows here.
test.each(programs.map(({ entry }) => entry))("%s starts as one file", async (entry) => {
	const directory = await mkdtemp(join(tmpdir(), "bundle-"));
	onTestFinished(() => rm(directory, { recursive: true, force: true }));
	const file = join(directory, "program.mjs");
	await writeFile(file, await bundleProgram(join(REPOSITORY, entry)));
	const { stdout } = await promisify(execFile)(process.execPath, [file, "--version"]);
	expect(stdout).toMatch(/\d+\.\d+\.\d+/);
});
