import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { buildNative } from "../src/build/index.ts";

let folder: string;
let outDir: string;
/** A compiler that writes its name and call into the output, and counts. */
const COMPILER = `#!/bin/sh
case "$1" in
-print-multiarch) echo x86_64-linux-gnu; exit;;
--version) echo "compiler 1"; exit;;
esac
echo call >> "$COMPILER_LOG"
for argument; do
	if [ "$argument" = "$COMPILER_REFUSES" ]; then echo "error: refused" >&2; exit 1; fi
	if [ "$previous" = -o ]; then echo made > "$argument"; fi
	previous=$argument
	case "$argument" in */$COMPILER_REFUSES) echo "error: no such header" >&2; exit 1;; esac
done
`;

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "bulkhead-build-"));
	outDir = join(folder, "out");
	const compiler = join(folder, "compiler");
	await writeFile(compiler, COMPILER);
	await chmod(compiler, 0o755);
	vi.stubEnv("CXX", compiler);
	vi.stubEnv("COMPILER_LOG", join(folder, "log"));
	vi.stubEnv("COMPILER_REFUSES", "nothing");
});
afterEach(async () => {
	vi.unstubAllEnvs();
	await rm(folder, { recursive: true });
});

async function calls(): Promise<number> {
	return (await readFile(join(folder, "log"), "utf8")).split("\n").length - 1;
}

test("makes both addons, tells its progress, and leaves no intermediate files", async () => {
	const lines: string[] = [];
	const { files } = await buildNative({ outDir, onProgress: (line) => lines.push(line) });
	expect(files).toEqual([join(outDir, "xenrings.node"), join(outDir, "xenctrl.node")]);
	expect((await readdir(outDir)).sort()).toEqual(["native-build.sha256", "xenctrl.node", "xenrings.node"]);
	expect(lines.at(-1)).toBe("linked xenctrl.node");
	expect(lines.length).toBe(await calls());
});

test("compiles again only when something changed or is missing", async () => {
	const { files } = await buildNative({ outDir });
	const first = await calls();
	await buildNative({ outDir });
	expect(await calls()).toBe(first);
	await rm(files[0] as string);
	await buildNative({ outDir });
	expect(await calls()).toBe(2 * first);
	await buildNative({ outDir, sysroot: folder });
	expect(await calls()).toBe(3 * first);
});

test("a source that does not compile is an error in the compiler's words, and leaves nothing", async () => {
	vi.stubEnv("COMPILER_REFUSES", "evtchn.cc");
	await expect(buildNative({ outDir })).rejects.toMatchObject({
		code: "native-build-failed",
		fields: { status: 1, output: expect.stringContaining("no such header") },
		remedy: expect.stringContaining("libxen-dev"),
	});
	expect(await readdir(outDir)).toEqual([]);
});

test("a missing compiler is told with a remedy", async () => {
	vi.stubEnv("CXX", join(folder, "no-compiler"));
	await expect(buildNative({ outDir })).rejects.toMatchObject({
		code: "native-build-failed",
		remedy: expect.stringContaining("g++"),
	});
});
