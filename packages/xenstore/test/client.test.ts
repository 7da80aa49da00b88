import { CancelledError, DeadlineError, DOM0, domId, InvalidInputError } from "@bulkhead/base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { XenstoreClient, XenstoreError } from "../src/index.ts";
import { FakeXenstored } from "../src/testing/index.ts";
import { encodeMessage, OPERATION } from "../src/wire/index.ts";

let fake: FakeXenstored;
let client: XenstoreClient;

beforeEach(async () => {
	fake = await FakeXenstored.listen();
	client = await XenstoreClient.connect({ path: fake.path });
});

afterEach(async () => {
	client.close();
	await fake.close();
});

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
	return promise.then(
		() => undefined,
		(error) => error,
	);
}

describe("a client", () => {
	it("writes and reads text, numbers and bytes", async () => {
		await client.write("/a/text", "grüße");
		await client.write("/a/number", 42);
		await client.write("/a/bytes", Uint8Array.from([0, 1, 255]));
		expect(await client.readText("/a/text")).toBe("grüße");
		expect(await client.readText("/a/number")).toBe("42");
		expect([...(await client.read("/a/bytes"))]).toEqual([0, 1, 255]);
		expect(await client.list("/a")).toEqual(["text", "number", "bytes"]);
	});

	it("tells absence from failure", async () => {
		expect(await client.find("/none")).toBeUndefined();
		expect(await client.findList("/none")).toBeUndefined();
		expect(await client.remove("/none/below")).toBeUndefined();
		expect(await failureOf(client.readText("/none"))).toMatchObject({
			code: "xenstore-refused",
			errno: "ENOENT",
			operation: "READ",
			path: "/none",
		});
	});

	it("keeps the order of requests that are fired together", async () => {
		const [, , first, , second] = await Promise.all([
			client.write("/a", "1"),
			client.mkdir("/b"),
			client.readText("/a"),
			client.write("/a", "2"),
			client.readText("/a"),
		]);
		expect([first, second]).toEqual(["1", "2"]);
		expect(client.stats.requests).toBe(5);
	});

	it("sends requests of one turn together", async () => {
		fake.hold();
		const all = Promise.all(Array.from({ length: 100 }, (_, index) => client.write(`/n/${index}`, index)));
		await expect.poll(() => fake.heldCount).toBe(100);
		fake.resume();
		await all;
		expect(await client.list("/n")).toHaveLength(100);
	});

	it("puts a node with its permissions in two requests", async () => {
		await client.put("/d", "v", [
			{ domid: DOM0, access: "none" },
			{ domid: domId(5), access: "read" },
		]);
		expect(fake.received).toEqual(["WRITE /d", "SET_PERMS /d"]);
		expect(await client.permissions("/d")).toEqual([
			{ domid: 0, access: "none" },
			{ domid: 5, access: "read" },
		]);
	});

	it("lists a directory above one message's size in parts", async () => {
		const names = Array.from({ length: 700 }, (_, index) => `child-number-${index}`);
		for (const name of names) fake.write(`/big/${name}`, "");
		expect(await client.list("/big")).toEqual(names);
		expect(fake.received.filter((request) => request.startsWith("DIRECTORY_PART"))).toHaveLength(3);
	});

	it("starts the list again when the directory changes between its parts", async () => {
		for (let index = 0; index < 700; index++) fake.write(`/big/child-number-${index}`, "");
		fake.hold();
		const listed = client.list("/big");
		for (let step = 0; step < 2; step++) {
			await expect.poll(() => fake.heldCount).toBe(1);
			fake.step();
		}
		await expect.poll(() => fake.heldCount).toBe(1);
		fake.write("/big/late", "");
		fake.resume();
		expect(await listed).toHaveLength(701);
		expect(fake.received.filter((request) => request.startsWith("DIRECTORY_PART"))).toHaveLength(5);
	});

	it("asks the privileged requests", async () => {
		const [stub, guest] = [domId(6), domId(5)];
		await client.introduce(guest, 1234, 3);
		await client.introduce(stub, 1235, 4);
		await client.setTarget(stub, guest);
		expect(fake.introduced.get(guest)).toEqual({ frame: 1234, port: 3 });
		expect(fake.targets.get(stub)).toBe(guest);
		expect(await client.isIntroduced(guest)).toBe(true);
		expect(await client.domainPath(guest)).toBe("/local/domain/5");
		await client.resume(guest);
		await client.release(stub);
		expect(await client.isIntroduced(stub)).toBe(false);
		expect(await failureOf(client.control(["no-such"]))).toMatchObject({ errno: "EINVAL" });
	});

	it.each([
		["a bad path", () => client.read("/a//b")],
		["a special name", () => client.write("@releaseDomain", "")],
		["a value that is too long", () => client.write("/a", Buffer.alloc(4094))],
		["no permissions", () => client.setPermissions("/a", [])],
	])("refuses %s without asking xenstored", async (_, act) => {
		expect(await failureOf(act())).toBeInstanceOf(InvalidInputError);
		expect(fake.received).toEqual([]);
	});

	it("takes the longest value that fits", async () => {
		await client.write("/a", Buffer.alloc(4093, 65));
		expect(await client.read("/a")).toHaveLength(4093);
	});
});

describe("giving up", () => {
	it("leaves a cancelled request's reply unheeded", async () => {
		fake.hold();
		const abort = new AbortController();
		const read = failureOf(client.read("/a", { signal: abort.signal }));
		abort.abort();
		expect(await read).toBeInstanceOf(CancelledError);
		fake.resume();
		await client.write("/b", "still well");
		expect(await client.readText("/b")).toBe("still well");
	});

	it("does not send a request that was cancelled before", async () => {
		expect(await failureOf(client.read("/a", { signal: AbortSignal.abort() }))).toBeInstanceOf(CancelledError);
		expect(client.stats.requests).toBe(0);
	});

	it("fails what xenstored does not answer in time, and takes a late answer", async () => {
		const impatient = await XenstoreClient.connect({ path: fake.path, requestTimeoutMs: 30 });
		fake.write("/a", "x");
		fake.hold();
		const [first, second] = await Promise.all([failureOf(impatient.read("/a")), failureOf(impatient.read("/a"))]);
		expect(first).toBeInstanceOf(DeadlineError);
		expect(second).toBeInstanceOf(DeadlineError);
		fake.resume();
		expect(await impatient.readText("/a")).toBe("x");
		impatient.close();
	});

	it("says that nobody listens", async () => {
		expect(await failureOf(XenstoreClient.connect({ path: `${fake.path}-not` }))).toMatchObject({
			code: "xenstore-connection-lost",
			remedy: expect.stringContaining("xenstored"),
		});
	});

	it("does not connect for a caller that has given up", async () => {
		const connected = XenstoreClient.connect({ path: fake.path, signal: AbortSignal.abort() });
		expect(await failureOf(connected)).toBeInstanceOf(CancelledError);
	});
});

describe("a lost connection", () => {
	it("fails all that is pending and all that comes, and tells the owner once", async () => {
		fake.hold();
		const told: XenstoreError[] = [];
		client.onClose((error) => told.push(error));
		const pending = [failureOf(client.read("/a")), failureOf(client.transaction(async () => {}))];
		const next = failureOf(client.watch("/a").next());
		await expect.poll(() => client.stats.requests).toBe(3);
		fake.dropConnections();
		for (const failed of [...pending, next])
			expect(await failed).toMatchObject({ name: "XenstoreError", code: "xenstore-connection-lost" });
		expect(await failureOf(client.read("/a"))).toMatchObject({ code: "xenstore-connection-lost" });
		expect(told).toHaveLength(1);
		const late = await new Promise((resolve) => client.onClose(resolve));
		expect(late).toBe(told[0]);
	});

	it.each([
		["an oversized message", Buffer.alloc(16, 0xff)],
		["a reply to nothing", encodeMessage({ type: 2, requestId: 77, transactionId: 0, payload: Buffer.alloc(0) })],
		[
			"an event without token",
			encodeMessage({ type: 15, requestId: 0, transactionId: 0, payload: Buffer.from("/a\0") }),
		],
	])("is what %s makes of it", async (_, bytes) => {
		await client.write("/a", "");
		const lost = new Promise<XenstoreError>((resolve) => client.onClose(resolve));
		fake.sendRaw(bytes);
		expect(await lost).toMatchObject({ code: "xenstore-connection-lost", cause: { code: "protocol-error" } });
	});

	it("is what a reply of another kind makes of it", async () => {
		await client.write("/a", "");
		fake.hold();
		const failed = failureOf(client.read("/a"));
		await expect.poll(() => client.stats.requests).toBe(2);
		fake.sendRaw(encodeMessage({ type: OPERATION.RM, requestId: 2, transactionId: 0, payload: Buffer.alloc(0) }));
		expect(await failed).toMatchObject({ code: "xenstore-connection-lost" });
	});

	it("is told apart from a client that was closed here", async () => {
		fake.hold();
		const failed = failureOf(client.read("/a"));
		client.close();
		client.close();
		expect(await failed).toMatchObject({ code: "xenstore-closed" });
		expect(await failureOf(client.read("/a"))).toBeInstanceOf(XenstoreError);
	});
});
