import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelledError, DeadlineError } from "@bulkhead/base";
import { expect, it } from "vitest";
import { FileLock } from "../src/file-lock.ts";

it("FileLock keeps others out until it is disposed of", async () => {
	const dir = await mkdtemp(join(tmpdir(), "bulkhead-lock-"));
	const path = join(dir, "deep/lock");
	try {
		const held = await FileLock.acquire(path, { timeoutMs: 5000 });
		await expect(FileLock.acquire(path, { timeoutMs: 50 })).rejects.toThrow(DeadlineError);
		const waiting = FileLock.acquire(path, { timeoutMs: 60_000, signal: AbortSignal.timeout(50) });
		await expect(waiting).rejects.toThrow(CancelledError);
		await held[Symbol.asyncDispose]();
		const again = await FileLock.acquire(path, { timeoutMs: 50 });
		await again[Symbol.asyncDispose]();
	} finally {
		await rm(dir, { recursive: true });
	}
});

it("FileLock can be disposed of when its holder was killed", async () => {
	const dir = await mkdtemp(join(tmpdir(), "bulkhead-lock-"));
	const path = join(dir, "lock");
	try {
		const held = await FileLock.acquire(path, { timeoutMs: 5000 });
		execFileSync("pkill", ["-KILL", "-P", String(process.pid), "-x", "cat|sh"]);
		await held[Symbol.asyncDispose]();
		await held[Symbol.asyncDispose]();
	} finally {
		await rm(dir, { recursive: true });
	}
});
