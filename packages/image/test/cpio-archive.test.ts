import { execFileSync } from "node:child_process";
import { access, lstat, mkdtemp, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeCpioHeader, paddingTo } from "../src/cpio.ts";
import { writeCpioArchive } from "../src/cpio-archive.ts";
import { archivePath, type CpioEntry, entriesFromTree } from "../src/cpio-entry.ts";

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), "bulkhead-cpio-"));
});
afterEach(() => rm(dir, { recursive: true }));

const TREE: CpioEntry[] = [
	{ type: "file", path: "/usr/bin/tool", mode: 0o755, content: "#!/bin/sh\n" },
	{ type: "file", path: "/etc/empty", content: Buffer.alloc(0) },
	{ type: "directory", path: "/tmp", mode: 0o1777 },
	{ type: "symlink", path: "/bin", target: "usr/bin" },
];

async function archive(entries: CpioEntry[]): Promise<Buffer> {
	const path = join(dir, "out.cpio");
	await writeCpioArchive(entries, path);
	return readFile(path);
}

describe("writeCpioArchive", () => {
	it("writes exactly these bytes for a one-file archive", async () => {
		const member =
			`070701${"00000001"}${"000081A4"}${"00000000"}${"00000000"}${"00000001"}${"00000000"}${"00000003"}` +
			`${"00000000"}${"00000000"}${"00000000"}${"00000000"}${"00000002"}${"00000000"}a\0hi\n\0`;
		const trailer =
			`070701${"00000000"}${"00000000"}${"00000000"}${"00000000"}${"00000001"}${"00000000"}${"00000000"}` +
			`${"00000000"}${"00000000"}${"00000000"}${"00000000"}${"0000000B"}${"00000000"}TRAILER!!!\0\0\0\0`;
		const golden = Buffer.alloc(512);
		golden.write(member + trailer, "latin1");
		expect(await archive([{ type: "file", path: "a", content: "hi\n" }])).toEqual(golden);
	});

	it("does not depend on the order of entries", async () => {
		expect(await archive([...TREE].reverse())).toEqual(await archive(TREE));
	});

	it("is read back by Debian's cpio", async () => {
		const bytes = await archive([
			...TREE,
			{ type: "character-device", path: "/dev/null", mode: 0o666, major: 1, minor: 3 },
		]);
		const listing = execFileSync("cpio", ["-t", "-v", "--quiet"], { input: bytes, encoding: "utf8" });
		expect(listing).toMatch(/^crw-rw-rw-\s+1 root\s+root\s+1,\s+3 Jan {2}1 {2}1970 dev\/null$/m);
		expect(listing).toMatch(/^drwxrwxrwt\s+2 root.* tmp$/m);
		expect(listing).toMatch(/ bin -> usr\/bin$/m);
		execFileSync("cpio", ["-i", "--quiet", "-d", "usr*", "etc*", "bin", "tmp"], { input: bytes, cwd: dir });
		expect(await readFile(join(dir, "usr/bin/tool"), "utf8")).toBe("#!/bin/sh\n");
		expect((await stat(join(dir, "usr/bin/tool"))).mode & 0o777).toBe(0o755);
		expect((await stat(join(dir, "etc/empty"))).size).toBe(0);
		expect((await lstat(join(dir, "bin"))).isSymbolicLink()).toBe(true);
		expect(await readlink(join(dir, "bin"))).toBe("usr/bin");
	});

	it("streams files from disk, whatever their size modulo 4", async () => {
		const entries: CpioEntry[] = [];
		for (const size of [0, 1, 2, 3, 4, 5]) {
			await writeFile(join(dir, `f${size}`), "x".repeat(size));
			entries.push({ type: "file", path: `f${size}`, content: { file: join(dir, `f${size}`) } });
		}
		const bytes = await archive(entries);
		expect(bytes.length % 512).toBe(0);
		const listing = execFileSync("cpio", ["-t", "-v", "--quiet"], { input: bytes, encoding: "utf8" });
		expect(
			listing
				.trim()
				.split("\n")
				.map((line) => Number(line.split(/\s+/)[4])),
		).toEqual([0, 1, 2, 3, 4, 5]);
	});

	it("refuses two entries for one path and leaves no half archive after a failure", async () => {
		const twice: CpioEntry[] = [
			{ type: "file", path: "a", content: "1" },
			{ type: "file", path: "/a/", content: "2" },
		];
		await expect(archive(twice)).rejects.toThrow("Two archive entries claim /a");
		await expect(archive([{ type: "file", path: "a", content: { file: join(dir, "absent") } }])).rejects.toThrow(
			"ENOENT",
		);
		await expect(access(join(dir, "out.cpio"))).rejects.toThrow("ENOENT");
	});
});

describe("archivePath", () => {
	it.each(["", "/", ".", "..", "a/../..", "../a", "a\0b"])("refuses %j", (path) => {
		expect(() => archivePath(path)).toThrow();
	});
	it("makes paths relative and normal", () => {
		expect(archivePath("//a/./b/../c/")).toBe("a/c");
	});
});

describe("encodeCpioHeader", () => {
	it("refuses sizes and names beyond the format", () => {
		const header = { inode: 1, mode: 0o100644, links: 1, sizeBytes: 0xffff_ffff, path: "a" };
		expect(encodeCpioHeader(header).length % 4).toBe(0);
		expect(() => encodeCpioHeader({ ...header, sizeBytes: 0x1_0000_0000 })).toThrow("does not fit");
		expect(encodeCpioHeader({ ...header, path: "a".repeat(4095) }).length).toBe(110 + 4096 + paddingTo(4, 110 + 4096));
		expect(() => encodeCpioHeader({ ...header, path: "a".repeat(4096) })).toThrow("4095");
	});
});

describe("entriesFromTree", () => {
	it("lists a folder with what is below, links as links", async () => {
		execFileSync("mkdir", ["-p", join(dir, "tree/sub")]);
		await writeFile(join(dir, "tree/sub/file"), "1");
		await symlink("file", join(dir, "tree/sub/link"));
		const entries = await entriesFromTree(join(dir, "tree"), "/sub", "/opt/x");
		expect(entries.map(({ type, path }) => [type, path])).toEqual([
			["directory", "/opt/x"],
			["file", "/opt/x/file"],
			["symlink", "/opt/x/link"],
		]);
	});
});
