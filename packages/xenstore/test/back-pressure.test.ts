import { CancelledError } from "@bulkhead/base";
import { fc, test as property } from "@fast-check/vitest";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Backlog } from "../src/client/backlog.ts";
import { XenstoreClient } from "../src/index.ts";
import { FakeXenstored } from "../src/testing/index.ts";

const BACKLOG_BYTES = 200_000;
const MOST_IN_FLIGHT = 128;

let fake: FakeXenstored;
let client: XenstoreClient;

beforeEach(async () => {
	fake = await FakeXenstored.listen();
	client = await XenstoreClient.connect({ path: fake.path, backlogBytes: BACKLOG_BYTES });
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

/** So many writes as the backlog takes, and one more, which is refused. */
async function fill(): Promise<{ writes: Promise<void>[] }> {
	const writes: Promise<void>[] = [];
	for (let index = 0; client.backlog.bytes < BACKLOG_BYTES - 600; index++) writes.push(client.write("/n", index));
	for (const write of writes) write.catch(() => {});
	expect(await failureOf(client.write("/n", "x".repeat(2000)))).toMatchObject({
		code: "xenstore-overloaded",
		operation: "WRITE",
		path: "/n",
		fields: { requests: writes.length, limitBytes: BACKLOG_BYTES },
	});
	return { writes };
}

describe("a client that asks faster than xenstored answers", () => {
	it("has no more with xenstored than its sockets take, sends more when half is left, and all in the end, in order", async () => {
		fake.hold();
		const writes = Array.from({ length: 300 }, (_, index) => client.write("/n", index));
		await expect.poll(() => fake.heldCount).toBe(MOST_IN_FLIGHT);
		const last = client.readText("/n");
		fake.step(1);
		await writes[0];
		expect(fake.heldCount).toBe(MOST_IN_FLIGHT - 1);
		fake.step(MOST_IN_FLIGHT / 2 - 1);
		await expect.poll(() => fake.heldCount).toBe(MOST_IN_FLIGHT);
		fake.resume();
		await Promise.all(writes);
		expect(await last).toBe("299");
		expect(client.backlog).toEqual({ requests: 0, bytes: 0 });
	});

	it("is refused beyond its bound, before anything is sent, and goes on when there is room", async () => {
		fake.hold();
		const { writes } = await fill();
		const room = client.room();
		let hasRoom = false;
		void room.then(() => {
			hasRoom = true;
		});
		await expect.poll(() => fake.heldCount).toBe(MOST_IN_FLIGHT);
		expect(hasRoom).toBe(false);
		fake.resume();
		await room;
		await Promise.all(writes);
		await client.write("/n", "after");
		expect(await client.readText("/n")).toBe("after");
	});

	it("keeps pace by awaiting room", async () => {
		for (let index = 0; index < 3000; index++) {
			await client.room();
			void client.write("/n", index);
			expect(client.backlog.bytes).toBeLessThanOrEqual(BACKLOG_BYTES);
		}
		expect(await client.readText("/n")).toBe("2999");
	});

	it("still gives back what xenstored holds for it", async () => {
		const watch = client.watch("/w");
		await watch.ready;
		fake.hold();
		await fill();
		watch.close();
		fake.resume();
		await expect.poll(() => fake.received.at(-1)).toBe("UNWATCH /w");
	});

	it("stops waiting for room when its caller does, and when the connection ends", async () => {
		fake.hold();
		await fill();
		const abort = new AbortController();
		const given = failureOf(client.room({ signal: abort.signal }));
		const lost = failureOf(client.room());
		abort.abort();
		expect(await given).toBeInstanceOf(CancelledError);
		expect(await failureOf(client.room({ signal: abort.signal }))).toBeInstanceOf(CancelledError);
		client.close();
		expect(await lost).toMatchObject({ code: "xenstore-closed" });
		expect(await failureOf(client.room())).toMatchObject({ code: "xenstore-closed" });
		expect(client.backlog).toEqual({ requests: 0, bytes: 0 });
	});
});

describe("Backlog", () => {
	property.prop([fc.array(fc.nat(5000), { maxLength: 50 }), fc.integer({ min: 1, max: 100_000 })])(
		"never exceeds its limit, but for one message alone",
		(lengths, limit) => {
			const backlog = new Backlog(limit);
			const taken: number[] = [];
			for (const length of lengths) {
				if (!backlog.hasRoomFor(length)) continue;
				backlog.add(length);
				taken.push(length);
				expect(taken.length === 1 || backlog.bytes <= limit).toBe(true);
			}
			for (const length of taken) backlog.remove(length);
			expect(backlog.bytes).toBe(0);
		},
	);
});
