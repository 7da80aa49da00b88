import {
	chmodSync,
	chownSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { clearSocketPlace, removeSocketFile, resolveSocketPath } from "../../src/channels/socket-place.ts";

const isRoot = process.getuid?.() === 0;
let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "bht-"));
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

async function listening(path: string): Promise<Server> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(path, resolve));
	onTestFinished(() => void server.close());
	return server;
}

/** As one whose process was killed. */
async function stale(path: string): Promise<void> {
	const server = await listening(`${path}.real`);
	renameSync(`${path}.real`, path);
	await new Promise((resolve) => server.close(resolve));
}

describe("a channel's socket", () => {
	it("lies where its path leads, links followed", async () => {
		mkdirSync(join(folder, "real"));
		symlinkSync("real", join(folder, "link"));
		expect(await resolveSocketPath(join(folder, "link", "a.sock"))).toBe(join(folder, "real", "a.sock"));
	});

	it("lies in no folder that others may change, and in a sticky one", async () => {
		const open = join(folder, "open");
		mkdirSync(open);
		chmodSync(open, 0o777);
		await expect(resolveSocketPath(join(open, "a.sock"))).rejects.toThrow("which others may change");
		mkdirSync(join(open, "below"));
		await expect(resolveSocketPath(join(open, "below", "a.sock"))).rejects.toThrow("which others may change");
		chmodSync(open, 0o1777);
		expect(await resolveSocketPath(join(open, "a.sock"))).toBe(join(open, "a.sock"));
	});

	it.runIf(isRoot)("lies in no folder of another user's, whichever way a link leads there", async () => {
		const theirs = join(folder, "theirs");
		mkdirSync(theirs);
		chownSync(theirs, 12_345, 0);
		symlinkSync("theirs", join(folder, "link"));
		for (const name of ["theirs", "link"])
			await expect(resolveSocketPath(join(folder, name, "a.sock"))).rejects.toThrow("which is another user's");
	});

	it("needs a folder that is there", async () => {
		await expect(resolveSocketPath(join(folder, "no", "a.sock"))).rejects.toMatchObject({ code: "channel-unusable" });
	});

	it("takes the place of a dead one, and of nothing else", async () => {
		const path = join(folder, "a.sock");
		await clearSocketPlace(path);
		await stale(path);
		await clearSocketPlace(path);
		expect(existsSync(path)).toBe(false);
		await listening(path);
		await expect(clearSocketPlace(path)).rejects.toThrow("is in use");
		const file = join(folder, "file");
		writeFileSync(file, "mine");
		symlinkSync("file", join(folder, "link"));
		for (const name of ["file", "link"])
			await expect(clearSocketPlace(join(folder, name))).rejects.toThrow("something else has");
		expect(existsSync(file)).toBe(true);
	});

	it("is removed when nobody is left to answer, and what is no socket stays", async () => {
		const path = join(folder, "a.sock");
		await removeSocketFile(path);
		const server = await listening(path);
		await removeSocketFile(path);
		expect(existsSync(path)).toBe(true);
		await new Promise((resolve) => server.close(resolve));
		await stale(path);
		await removeSocketFile(path);
		expect(existsSync(path)).toBe(false);
		writeFileSync(path, "mine");
		await removeSocketFile(path);
		expect(existsSync(path)).toBe(true);
	});
});
