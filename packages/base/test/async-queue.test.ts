import { fc, test } from "@fast-check/vitest";
import { describe, expect, vi } from "vitest";
import { AsyncQueue } from "../src/index.ts";

async function drain<T>(queue: AsyncQueue<T>): Promise<T[]> {
	const items: T[] = [];
	for await (const item of queue) items.push(item);
	return items;
}

describe("AsyncQueue", () => {
	test.prop([fc.array(fc.integer())])("gives everything in order, then ends", async (items) => {
		const queue = new AsyncQueue<number>();
		for (const item of items) expect(queue.push(item)).toBe(true);
		queue.close();
		expect(await drain(queue)).toEqual(items);
	});

	test.prop([fc.array(fc.oneof(fc.constant("push" as const), fc.constant("next" as const)), { maxLength: 50 })])(
		"any interleaving of pushes and waits gives the same order",
		async (actions) => {
			const queue = new AsyncQueue<number>();
			const received: number[] = [];
			let pushed = 0;
			let consumer: Promise<unknown> = Promise.resolve();
			let waiting = false;
			for (const action of actions) {
				if (action === "push") {
					queue.push(pushed++);
					await consumer;
					waiting = false;
				} else if (!waiting) {
					waiting = queue.size === 0;
					const next = queue.next().then((result) => {
						if (!result.done) received.push(result.value);
					});
					if (waiting) consumer = next;
					else await next;
				}
			}
			queue.close();
			await consumer;
			received.push(...(await drain(queue)));
			expect(received).toEqual(Array.from({ length: pushed }, (_, index) => index));
		},
	);

	test("refuses what exceeds its limit and takes again when there is room", async () => {
		const queue = new AsyncQueue<number>({ limit: 2 });
		expect([queue.push(1), queue.push(2), queue.push(3)]).toEqual([true, true, false]);
		expect(queue.size).toBe(2);
		await queue.next();
		expect(queue.push(4)).toBe(true);
		queue.close();
		expect(await drain(queue)).toEqual([2, 4]);
	});

	test("an item goes straight to a waiting consumer, past the limit", async () => {
		const queue = new AsyncQueue<number>({ limit: 0 });
		const next = queue.next();
		expect(queue.push(1)).toBe(true);
		expect(await next).toEqual({ done: false, value: 1 });
		expect(queue.push(2)).toBe(false);
	});

	test("takes nothing after close, and ends a consumer that waits", async () => {
		const queue = new AsyncQueue<number>();
		const next = queue.next();
		queue.close();
		expect(await next).toEqual({ done: true, value: undefined });
		expect(queue.push(1)).toBe(false);
		expect(await queue.next()).toEqual({ done: true, value: undefined });
	});

	test("fail gives what is queued, then the error, each time it is asked", async () => {
		const queue = new AsyncQueue<number>();
		queue.push(1);
		queue.fail(new RangeError("broken"));
		queue.close();
		expect(await queue.next()).toEqual({ done: false, value: 1 });
		await expect(queue.next()).rejects.toThrow(RangeError);
		await expect(queue.next()).rejects.toThrow(RangeError);
	});

	test("fail rejects a consumer that waits", async () => {
		const queue = new AsyncQueue<number>();
		const next = queue.next();
		queue.fail(new RangeError("broken"));
		await expect(next).rejects.toThrow(RangeError);
	});

	test("an undefined item is an item, and an undefined failure a failure", async () => {
		const queue = new AsyncQueue<undefined>();
		queue.push(undefined);
		expect(await queue.next()).toEqual({ done: false, value: undefined });
		queue.fail(undefined);
		await expect(queue.next()).rejects.toBeUndefined();
	});

	test("a second consumer that waits is a mistake", () => {
		const queue = new AsyncQueue<number>();
		void queue.next();
		expect(() => queue.next()).toThrow(TypeError);
	});

	test("leaving the loop tells the producer, once", async () => {
		const onReturn = vi.fn();
		const queue = new AsyncQueue<number>({ onReturn });
		queue.push(1);
		queue.push(2);
		for await (const item of queue) if (item === 1) break;
		expect(onReturn).toHaveBeenCalledTimes(1);
		expect(queue.push(3)).toBe(false);
		await queue[Symbol.asyncIterator]().return?.();
		expect(onReturn).toHaveBeenCalledTimes(1);
	});
});
