import { CancelledError, DeadlineError, domId } from "@bulkhead/base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WatchQueue } from "../src/client/watch-queue.ts";
import { XenstoreClient, type XenstoreWatch } from "../src/index.ts";
import { FakeXenstored } from "../src/testing/index.ts";

let fake: FakeXenstored;
let client: XenstoreClient;

beforeEach(async () => {
	fake = await FakeXenstored.listen();
	client = await XenstoreClient.connect({ path: fake.path });
});

afterEach(async () => {
	await client.find("/").catch(() => {});
	fake.assertIdle();
	client.close();
	await fake.close();
});

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
	return promise.then(
		() => undefined,
		(error) => error,
	);
}

async function take(watch: XenstoreWatch, count: number): Promise<string[]> {
	const paths: string[] = [];
	while (paths.length < count) paths.push((await watch.next()).value);
	return paths;
}

describe("a watch", () => {
	it("begins with its own path, once, then tells of changes at and below it", async () => {
		const watch = client.watch("/a");
		expect(await take(watch, 1)).toEqual(["/a"]);
		fake.write("/a", "1");
		fake.write("/a/b/c", "2");
		fake.write("/ab", "3");
		fake.remove("/a/b");
		expect(await take(watch, 3)).toEqual(["/a", "/a/b/c", "/a/b"]);
		expect(client.stats.watchEvents).toBe(4);
		watch.close();
	});

	it("tells of a path once when its consumer is slow", async () => {
		const watch = client.watch("/a");
		await watch.ready;
		for (let round = 0; round < 100; round++) {
			fake.write("/a/x", `${round}`);
			fake.write("/a/y", `${round}`);
		}
		await expect.poll(() => client.stats.watchEvents).toBe(201);
		expect(await take(watch, 3)).toEqual(["/a", "/a/x", "/a/y"]);
		const next = watch.next();
		fake.write("/a/x", "again");
		expect((await next).value).toBe("/a/x");
		watch.close();
	});

	it("falls back to its own path when too many others wait", async () => {
		const watch = client.watch("/a", { queueLimit: 10 });
		await watch.ready;
		for (let index = 0; index < 100; index++) fake.write(`/a/${index}`, "");
		await expect.poll(() => client.stats.watchEvents).toBe(101);
		const paths = [];
		for (let waiting = true; waiting; ) {
			const next = watch.next();
			const found = await Promise.race([next, client.find("/").then(() => undefined)]);
			if (found) paths.push(found.value);
			else waiting = false;
		}
		expect(paths.length).toBeLessThanOrEqual(10);
		expect(paths).toContain("/a");
		watch.close();
	});

	it("is told by xenstored to watch while it lasts, and no longer", async () => {
		for await (const path of client.watch("/a")) {
			expect(path).toBe("/a");
			break;
		}
		await client.find("/");
		expect(fake.received).toEqual(["WATCH /a", "UNWATCH /a", "READ /"]);
	});

	it("takes the special names", async () => {
		fake.introduceDomain(domId(3));
		const watch = client.watch("@releaseDomain");
		expect(await take(watch, 1)).toEqual(["@releaseDomain"]);
		fake.releaseDomain(domId(3));
		expect(await take(watch, 1)).toEqual(["@releaseDomain"]);
		watch.close();
		expect(await watch.next()).toEqual({ done: true, value: undefined });
	});

	it("does not mix with another on the same path", async () => {
		const [one, two] = [client.watch("/a"), client.watch("/a")];
		expect(await take(one, 1)).toEqual(["/a"]);
		one.close();
		expect(await take(two, 1)).toEqual(["/a"]);
		fake.write("/a", "1");
		expect(await take(two, 1)).toEqual(["/a"]);
		two.close();
	});

	it("ends with CancelledError when its signal aborts, waiting or not", async () => {
		const abort = new AbortController();
		const watch = client.watch("/a", { signal: abort.signal });
		await take(watch, 1);
		const next = failureOf(watch.next());
		abort.abort();
		expect(await next).toBeInstanceOf(CancelledError);
		expect(await failureOf(watch.next())).toBeInstanceOf(CancelledError);

		const late = client.watch("/a", { signal: abort.signal });
		expect(await failureOf(late.ready)).toBeInstanceOf(CancelledError);
		expect(await failureOf(late.next())).toBeInstanceOf(CancelledError);
		expect(fake.received.filter((request) => request.startsWith("WATCH"))).toHaveLength(1);
	});

	it("refuses a bad path at once", () => {
		expect(() => client.watch("/a//b")).toThrow("path");
	});

	it("reports xenstored's refusal", async () => {
		const other = await XenstoreClient.connect({ path: fake.path });
		other.close();
		const watch = other.watch("/a");
		expect(await failureOf(watch.ready)).toMatchObject({ code: "xenstore-closed" });
		expect(await failureOf(watch.next())).toMatchObject({ code: "xenstore-closed" });
	});
});

describe("waitFor", () => {
	it("resolves at once when the value is there", async () => {
		fake.write("/a/state", "4");
		expect(await client.waitFor("/a/state", (state) => state === "4", { timeoutMs: 1000 })).toBe("4");
	});

	it("sees each step that matters, absence included", async () => {
		fake.write("/a/state", "1");
		const waited = client.waitFor("/a/state", (state) => state === undefined, { timeoutMs: 5000 });
		await expect.poll(() => fake.received.length).toBe(2);
		fake.write("/a/state", "2");
		await expect.poll(() => fake.received.length).toBe(3);
		fake.remove("/a");
		expect(await waited).toBeUndefined();
	});

	it("misses no change that falls between its watch and its read", async () => {
		fake.hold();
		const waited = client.waitFor("/s", (state) => state === "ready", { timeoutMs: 5000 });
		await expect.poll(() => client.stats.requests).toBe(1);
		fake.write("/s", "ready");
		fake.resume();
		expect(await waited).toBe("ready");
	});

	it("gives up at its deadline, saying what was awaited", async () => {
		const failed = await failureOf(
			client.waitFor("/never", () => false, { timeoutMs: 20, what: "the stub domain's QEMU" }),
		);
		expect(failed).toBeInstanceOf(DeadlineError);
		expect(String(failed)).toContain("the stub domain's QEMU");
	});

	it("gives up with its signal", async () => {
		const abort = new AbortController();
		const waited = failureOf(client.waitFor("/never", () => false, { timeoutMs: 60_000, signal: abort.signal }));
		await expect.poll(() => fake.received.length).toBe(2);
		abort.abort();
		expect(await waited).toBeInstanceOf(CancelledError);
	});

	it("passes on what the predicate throws", async () => {
		const waited = client.waitFor(
			"/x",
			() => {
				throw new RangeError("odd");
			},
			{ timeoutMs: 1000 },
		);
		expect(await failureOf(waited)).toBeInstanceOf(RangeError);
	});
});

describe("WatchQueue", () => {
	it("hands out nothing after its end", async () => {
		const queue = new WatchQueue("/a", 5);
		queue.push("/a");
		queue.close();
		queue.push("/b");
		expect((await queue.next()).done).toBe(true);
	});

	it("refuses a second consumer", async () => {
		const queue = new WatchQueue("/a", 5);
		const first = queue.next();
		expect(await failureOf(queue.next())).toBeInstanceOf(TypeError);
		queue.push("/a");
		expect((await first).value).toBe("/a");
	});
});
