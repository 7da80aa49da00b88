import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContentCache, runProgram } from "@bulkhead/image";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildSpiceStandIn, spiceImports } from "../src/spice-stand-in.ts";

let dir: string;
beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), "bulkhead-spice-"));
});
afterAll(() => rm(dir, { recursive: true }));

const gcc = (...args: string[]) => runProgram(["gcc", ...args], { cwd: dir, timeoutMs: 30_000 });

test("imports are read from readelf's table, sorted, others ignored", () => {
	const table = `
   12: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND spice_server_new@SPICE_SERVER_0.6.0 (9)
   13: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND memcpy@GLIBC_2.14 (3)
   14: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND spice_qxl_oom@SPICE_SERVER_0.8.2 (10)
   15: 0000000000001000     9 FUNC    GLOBAL DEFAULT   12 spice_of_its_own`;
	expect(spiceImports(table)).toEqual([
		{ name: "spice_qxl_oom", version: "SPICE_SERVER_0.8.2" },
		{ name: "spice_server_new", version: "SPICE_SERVER_0.6.0" },
	]);
});

test("a program linked against the real library runs with the stand-in, until it asks for Spice", async () => {
	// A library with versions like the real one's, and a program that calls it when it is given an argument.
	await writeFile(join(dir, "real.c"), "void spice_server_new(void) {}\n");
	await writeFile(join(dir, "real.map"), "SPICE_SERVER_0.6.0 { global: spice_server_new; local: *; };\n");
	await writeFile(
		join(dir, "use.c"),
		"void spice_server_new(void);\nint main(int n) { if (n > 1) spice_server_new(); return 0; }\n",
	);
	const soname = "-Wl,-soname,libspice-server.so.1";
	await gcc("-shared", "-fPIC", soname, "-Wl,--version-script=real.map", "-o", "libspice-server.so", "real.c");
	await gcc("-o", "use", "use.c", "-L.", "-lspice-server");
	const tree = await buildSpiceStandIn(join(dir, "use"), new ContentCache(join(dir, "cache")));
	const env = { LD_LIBRARY_PATH: join(tree ?? "", "usr/lib/x86_64-linux-gnu"), LD_BIND_NOW: "1" };
	await runProgram([join(dir, "use")], { env, timeoutMs: 5000 });
	await expect(runProgram([join(dir, "use"), "x"], { env, timeoutMs: 5000 })).rejects.toMatchObject({
		fields: { exitCode: 1, stderr: "Spice was asked for, which this stub domain does not have\n" },
	});
});

test("a program without Spice needs no stand-in", async () => {
	await writeFile(join(dir, "plain.c"), "int main(void) { return 0; }\n");
	await gcc("-o", "plain", "plain.c");
	expect(await buildSpiceStandIn(join(dir, "plain"), new ContentCache(join(dir, "cache")))).toBeUndefined();
});
