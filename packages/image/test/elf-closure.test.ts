import { execFileSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readElfDynamics } from "../src/elf.ts";
import { elfClosure } from "../src/elf-closure.ts";
import { findRealPathInTree } from "../src/tree-path.ts";

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), "bulkhead-elf-"));
});
afterEach(() => rm(dir, { recursive: true }));

describe("readElfDynamics", () => {
	it("agrees with readelf on this machine's shell", async () => {
		const dynamics = await readElfDynamics("/bin/bash");
		const said = execFileSync("readelf", ["-d", "/bin/bash"], { encoding: "utf8" });
		expect(dynamics?.needed).toEqual([...said.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map((match) => match[1]));
		expect(dynamics?.needed.length).toBeGreaterThan(0);
		expect(dynamics?.interpreter).toBe("/lib64/ld-linux-x86-64.so.2");
	});

	it("ignores what is no ELF file", async () => {
		await writeFile(join(dir, "script"), "#!/bin/sh\n".repeat(20));
		expect(await readElfDynamics(join(dir, "script"))).toBeUndefined();
		await writeFile(join(dir, "empty"), "");
		expect(await readElfDynamics(join(dir, "empty"))).toBeUndefined();
	});

	it.each([64, 100, 600])("refuses an ELF file cut off after %i bytes", async (length) => {
		await copyFile("/bin/bash", join(dir, "cut"));
		await truncate(join(dir, "cut"), length);
		await expect(readElfDynamics(join(dir, "cut"))).rejects.toMatchObject({ code: "malformed-elf" });
	});

	it("never fails in another way, whatever byte of the headers is changed", async () => {
		const whole = await readFile("/bin/true");
		for (let at = 16; at < 64; at += 1) {
			const bytes = Buffer.from(whole);
			bytes[at] = 0xff;
			await writeFile(join(dir, "odd"), bytes);
			await readElfDynamics(join(dir, "odd")).catch((error: unknown) =>
				expect(error).toMatchObject({ code: "malformed-elf" }),
			);
		}
	});
});

describe("elfClosure", () => {
	it("finds libraries of libraries and the linker, by their merged-/usr paths", async () => {
		const closure = await elfClosure(["/bin/bash", join(import.meta.dirname, "elf-closure.test.ts")], ["/"]);
		const paths = closure.map(({ path }) => path);
		expect(paths).toContain("/usr/lib64/ld-linux-x86-64.so.2");
		expect(paths).toContain("/usr/lib/x86_64-linux-gnu/libc.so.6");
		for (const { source } of closure) expect((await readFile(source)).subarray(1, 4).toString()).toBe("ELF");
	});

	it("says which library is missing", async () => {
		await expect(elfClosure(["/bin/bash"], [dir])).rejects.toMatchObject({ code: "library-not-found" });
	});
});

describe("findRealPathInTree", () => {
	it("keeps absolute links and climbing links inside the tree", async () => {
		await mkdir(join(dir, "usr/lib"), { recursive: true });
		await writeFile(join(dir, "usr/lib/real"), "");
		await symlink("usr/lib", join(dir, "lib"));
		await symlink("/lib/real", join(dir, "usr/absolute"));
		await symlink("../../../../../lib/real", join(dir, "usr/climbing"));
		await symlink("/etc/passwd", join(dir, "usr/outside"));
		await symlink("loop", join(dir, "usr/loop"));
		expect(await findRealPathInTree(dir, "/usr/absolute")).toBe("/usr/lib/real");
		expect(await findRealPathInTree(dir, "/usr/climbing")).toBe("/usr/lib/real");
		expect(await findRealPathInTree(dir, "/usr/outside")).toBeUndefined();
		expect(await findRealPathInTree(dir, "/usr/loop")).toBeUndefined();
	});
});
