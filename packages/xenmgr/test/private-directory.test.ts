import { chmod, mkdtemp, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { privateDirectory } from "../src/simulated/private-directory.ts";

test("a directory is made for this user alone, taken when it is so, and refused when others may look in", async () => {
	const parent = await mkdtemp(join(tmpdir(), "private-"));
	onTestFinished(() => rm(parent, { recursive: true, force: true }));
	const path = join(parent, "a", "b");
	await privateDirectory(path);
	expect((await stat(path)).mode & 0o777).toBe(0o700);
	await privateDirectory(path);
	await chmod(path, 0o750);
	await expect(privateDirectory(path)).rejects.toMatchObject({ code: "not-private" });
	await symlink(parent, join(parent, "link"));
	await expect(privateDirectory(join(parent, "link"))).rejects.toMatchObject({ code: "not-private" });
});
