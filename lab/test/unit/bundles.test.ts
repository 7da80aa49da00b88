import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { bundleProgram, existingPrograms, pageEntries, REPOSITORY } from "../../src/bundles.ts";

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

test("the page for browsers is complete: each module that it imports is among its files, and noVNC's licence too", async () => {
	const files = new Map(
		(await pageEntries()).flatMap((entry) =>
			entry.type === "file" && typeof entry.content === "object" && "file" in entry.content
				? [[entry.path, entry.content.file] as const]
				: [],
		),
	);
	const root = "/usr/lib/bulkhead/screen";
	expect([...files.keys()]).toEqual(
		expect.arrayContaining(
			["screen.html", "screen.js", "novnc/core/rfb.js", "novnc/AUTHORS", "novnc/docs/LICENSE.MPL-2.0"].map(
				(name) => `${root}/${name}`,
			),
		),
	);
	const seen = new Set<string>();
	const waiting = [`${root}/screen.js`];
	for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
		if (seen.has(path)) continue;
		seen.add(path);
		const file = files.get(path);
		if (file === undefined) expect.fail(`${path} is imported and not there`);
		const source = (await readFile(file, "utf8")).replace(/\/\*.*?\*\//gs, "");
		for (const [, name = ""] of source.matchAll(/(?:from|import)\s*["'](\.[^"']+)["']/g))
			waiting.push(join(dirname(path), name));
	}
	expect(seen.size).toBeGreaterThan(40);
});
