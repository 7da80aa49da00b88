import { CancelledError, DOM0, InvalidInputError } from "@bulkhead/base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { XenstoreClient, type XenstoreView } from "../src/index.ts";
import { FakeXenstored } from "../src/testing/index.ts";

let fake: FakeXenstored;
let client: XenstoreClient;

beforeEach(async () => {
	fake = await FakeXenstored.listen();
	client = await XenstoreClient.connect({ path: fake.path });
});

afterEach(async () => {
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

/** Waits until xenstored has handled all that was sent so far. */
async function settled(): Promise<void> {
	await client.find("/");
}

describe("a transaction", () => {
	it("shows its changes to itself first and to others at its end", async () => {
		const seen = await client.transaction(async (tx) => {
			await tx.write("/a", "1");
			return [await tx.find("/a"), await client.find("/a")];
		});
		expect(seen).toEqual(["1", undefined]);
		expect(await client.find("/a")).toBe("1");
	});

	it("takes changes that nobody awaits", async () => {
		await client.transaction(async (tx) => {
			for (let index = 0; index < 50; index++) void tx.put(`/n/${index}`, index, [{ domid: DOM0, access: "none" }]);
		});
		expect(await client.list("/n")).toHaveLength(50);
		expect(client.stats.requests).toBe(103);
	});

	it("is repeated when another client changed what it read", async () => {
		fake.write("/counter", "1");
		let runs = 0;
		const result = await client.transaction(async (tx) => {
			const counter = Number(await tx.readText("/counter"));
			if (++runs === 1) fake.write("/counter", "10");
			await tx.write("/counter", counter + 1);
			return counter;
		});
		expect({ runs, result, stored: await client.find("/counter") }).toEqual({ runs: 2, result: 10, stored: "11" });
		expect(client.stats).toMatchObject({ transactions: 2, conflicts: 1 });
	});

	it("lets concurrent ones on the same node all succeed", async () => {
		fake.write("/counter", "0");
		const increment = async (tx: XenstoreView): Promise<void> =>
			tx.write("/counter", Number(await tx.readText("/counter")) + 1);
		await Promise.all(Array.from({ length: 8 }, () => client.transaction(increment)));
		expect(await client.readText("/counter")).toBe("8");
	});

	it("is given up when the conflicts do not end", async () => {
		fake.conflictsToCome = Number.POSITIVE_INFINITY;
		const failed = await failureOf(client.transaction(async (tx) => tx.write("/a", "1"), { timeoutMs: 50 }));
		expect(failed).toMatchObject({ code: "xenstore-conflict", errno: "EAGAIN", fields: { timeoutMs: 50 } });
		expect(client.stats.conflicts).toBeGreaterThan(1);
		expect(await client.find("/a")).toBeUndefined();
	});

	it.each([
		["one that xenstored refuses", (tx: XenstoreView) => tx.setPermissions("/none", [{ domid: DOM0, access: "none" }])],
		["one with a bad path", (tx: XenstoreView) => tx.write("/a//b", "")],
		["one that is too long", (tx: XenstoreView) => tx.put("/a/b", Buffer.alloc(5000))],
	])("takes nothing when one change fails that nobody awaits: %s", async (_, change) => {
		const failed = await failureOf(
			client.transaction(async (tx) => {
				void tx.write("/a", "1");
				void change(tx);
			}),
		);
		expect(failed).toSatisfy(
			(error) => error instanceof InvalidInputError || (error as { errno?: string }).errno !== "",
		);
		await settled();
		expect(fake.received.filter((request) => request.startsWith("TRANSACTION_END"))).toEqual(["TRANSACTION_END F"]);
		expect(await client.find("/a")).toBeUndefined();
	});

	it("takes nothing when its body fails, and says why", async () => {
		const failed = await failureOf(
			client.transaction(async (tx) => {
				await tx.write("/a", "1");
				throw new RangeError("changed my mind");
			}),
		);
		expect(failed).toBeInstanceOf(RangeError);
		expect(await client.find("/a")).toBeUndefined();
	});

	it("does not mind reads that find nothing", async () => {
		await client.transaction(async (tx) => {
			await failureOf(tx.readText("/none"));
			await tx.remove("/none/at/all");
			await tx.write("/a", "1");
		});
		expect(await client.find("/a")).toBe("1");
	});

	it("stops when the caller does, at any point", async () => {
		const abort = new AbortController();
		const failed = await failureOf(
			client.transaction(
				async (tx) => {
					await tx.write("/a", "1");
					abort.abort();
				},
				{ signal: abort.signal },
			),
		);
		expect(failed).toBeInstanceOf(CancelledError);
		expect(await client.find("/a")).toBeUndefined();

		const before = failureOf(client.transaction(async () => {}, { signal: AbortSignal.abort() }));
		expect(await before).toBeInstanceOf(CancelledError);

		fake.hold();
		const later = new AbortController();
		const starting = failureOf(client.transaction(async (tx) => tx.write("/b", ""), { signal: later.signal }));
		later.abort();
		fake.resume();
		expect(await starting).toBeInstanceOf(CancelledError);
		await settled();
	});

	it("is of no use after its end", async () => {
		let kept: XenstoreView | undefined;
		await client.transaction(async (tx) => {
			kept = tx;
		});
		expect(await failureOf(kept?.write("/late", "") ?? Promise.resolve())).toBeInstanceOf(TypeError);
		expect(await failureOf(kept?.read("/late") ?? Promise.resolve())).toBeInstanceOf(TypeError);
		expect(await client.find("/late")).toBeUndefined();
	});
});

describe("a batch", () => {
	it("makes its changes in two round trips", async () => {
		fake.hold();
		const batch = client.batch((changes) => {
			changes.put("/d/a", "1", [{ domid: DOM0, access: "none" }]);
			changes.mkdir("/d/b");
			changes.write("/d/c", 3);
			changes.remove("/d/none/below");
			changes.remove("/d/c");
		});
		await expect.poll(() => fake.heldCount).toBe(1);
		fake.step();
		// All the rest has arrived before any of it is answered.
		await expect.poll(() => fake.heldCount).toBe(7);
		fake.resume();
		await batch;
		expect(fake.tree.toJSON()).toMatchObject({ "/d": "", "/d/a": "1", "/d/b": "" });
		expect(fake.tree.findList("/d")).toEqual(["a", "b"]);
	});

	it("is sent again after a conflict", async () => {
		fake.conflictsToCome = 2;
		await client.batch((changes) => changes.write("/a", "1"));
		expect(await client.find("/a")).toBe("1");
		expect(client.stats.conflicts).toBe(2);
	});

	it("says that the rest was taken when one change was refused", async () => {
		const failed = await failureOf(
			client.batch((changes) => {
				changes.write("/a", "1");
				changes.setPermissions("/none", [{ domid: DOM0, access: "none" }]);
			}),
		);
		expect(failed).toMatchObject({ errno: "ENOENT", operation: "SET_PERMS", fields: { committed: true, index: 1 } });
		expect(await client.find("/a")).toBe("1");
	});

	it("refuses bad input before anything is sent, and sends nothing for nothing", async () => {
		expect(await failureOf(client.batch((changes) => changes.write("bad path", "")))).toBeInstanceOf(InvalidInputError);
		expect(await failureOf(client.batch((changes) => changes.write("/a", Buffer.alloc(5000))))).toBeInstanceOf(
			InvalidInputError,
		);
		await client.batch(() => {});
		expect(client.stats.requests).toBe(0);
	});
});
