import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cacheRoot } from "../src/cache-root.ts";
import { ContentCache } from "../src/content-cache.ts";

describe("ContentCache", () => {
	let root: string;
	beforeEach(async () => {
		root = await mkdtemp(join(tmpdir(), "bulkhead-cache-"));
	});
	afterEach(() => rm(root, { recursive: true }));

	it("builds once for the same inputs, in whatever order they are named", async () => {
		const cache = new ContentCache(root);
		let builds = 0;
		const build = async (dir: string): Promise<void> => {
			builds += 1;
			await writeFile(join(dir, "result"), "done");
		};
		const first = await cache.cached("thing", { a: 1, b: "x" }, build);
		const second = await cache.cached("thing", { b: "x", a: 1 }, build);
		expect(second).toBe(first);
		expect(builds).toBe(1);
		expect(await readFile(join(first, "result"), "utf8")).toBe("done");
		expect(JSON.parse(await readFile(join(first, ".inputs.json"), "utf8"))).toEqual({ a: 1, b: "x" });
	});

	it("keeps different inputs apart", async () => {
		const cache = new ContentCache(root);
		const one = await cache.cached("thing", { a: 1 }, async () => {});
		const other = await cache.cached("thing", { a: "1" }, async () => {});
		expect(other).not.toBe(one);
	});

	it("leaves nothing of a build that fails, and builds anew the next time", async () => {
		const cache = new ContentCache(root);
		const broken = cache.cached("thing", { a: 1 }, async (dir) => {
			await writeFile(join(dir, "half"), "");
			throw new Error("out of luck");
		});
		await expect(broken).rejects.toThrow("out of luck");
		expect((await readdir(join(root, "thing"))).filter((name) => !name.endsWith(".lock"))).toEqual([]);
		const dir = await cache.cached("thing", { a: 1 }, (path) => writeFile(join(path, "whole"), ""));
		await expect(access(join(dir, "half"))).rejects.toThrow();
		await access(join(dir, "whole"));
	});

	it("removes what a killed build of the same key has left, and nothing else", async () => {
		const cache = new ContentCache(root);
		const dir = cache.pathFor("thing", { a: 1 });
		const other = `${cache.pathFor("thing", { a: 2 })}.building-beef`;
		await mkdir(`${dir}.building-dead/half`, { recursive: true });
		await mkdir(other, { recursive: true });
		await cache.cached("thing", { a: 1 }, async () => {});
		await expect(access(`${dir}.building-dead`)).rejects.toThrow();
		await access(other);
	});

	it("stops waiting for another builder when it is told to", async () => {
		const cache = new ContentCache(root);
		const abort = new AbortController();
		let waiting: Promise<string> | undefined;
		await cache.cached("thing", { a: 1 }, async () => {
			waiting = cache.cached("thing", { a: 1 }, async () => {}, abort.signal);
			waiting.catch(() => {});
			abort.abort();
			await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
		});
		expect(waiting).toBeDefined();
	});

	it("lets two caches over one folder build a key once", async () => {
		let building = 0;
		let builds = 0;
		const build = async (): Promise<void> => {
			building += 1;
			builds += 1;
			expect(building).toBe(1);
			await new Promise((resolve) => setImmediate(resolve));
			building -= 1;
		};
		const dirs = await Promise.all(
			Array.from({ length: 4 }, () => new ContentCache(root).cached("thing", { a: 1 }, build)),
		);
		expect(new Set(dirs).size).toBe(1);
		expect(builds).toBe(1);
	});

	it("refuses a kind that could leave the folder", async () => {
		await expect(new ContentCache(root).cached("../up", {}, async () => {})).rejects.toThrow("kebab-case");
	});
});

describe("cacheRoot", () => {
	it("follows XDG_CACHE_HOME when it is absolute", () => {
		expect(cacheRoot({ XDG_CACHE_HOME: "/var/cache/me" })).toBe("/var/cache/me/bulkhead");
		expect(cacheRoot({ XDG_CACHE_HOME: "relative" })).toMatch(/\/\.cache\/bulkhead$/);
	});
});
