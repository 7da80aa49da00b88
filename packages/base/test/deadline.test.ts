import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CancelledError, DeadlineError, delay, withDeadline } from "../src/index.ts";

beforeEach(() => {
	vi.useFakeTimers();
});
afterEach(() => {
	vi.useRealTimers();
});

const wait = { timeoutMs: 100, what: "the guest" };

describe("withDeadline", () => {
	test("answers what the promise answers, and leaves no timer", async () => {
		await expect(withDeadline(Promise.resolve(7), wait)).resolves.toBe(7);
		expect(vi.getTimerCount()).toBe(0);
	});

	test("passes the promise's own failure on, and leaves no timer", async () => {
		await expect(withDeadline(Promise.reject(new RangeError("own")), wait)).rejects.toThrow(RangeError);
		expect(vi.getTimerCount()).toBe(0);
	});

	test("gives up at the deadline, not before, and names what was awaited", async () => {
		const result = withDeadline(new Promise(() => {}), wait);
		const settled = vi.fn();
		result.catch(settled);
		await vi.advanceTimersByTimeAsync(99);
		expect(settled).not.toHaveBeenCalled();
		await vi.advanceTimersByTimeAsync(1);
		await expect(result).rejects.toThrow(DeadlineError);
		await expect(result).rejects.toMatchObject({
			message: expect.stringContaining("the guest"),
			fields: { timeoutMs: 100 },
		});
	});

	test("stops when the signal aborts, with the signal's reason as cause, and stops listening", async () => {
		const controller = new AbortController();
		const remove = vi.spyOn(controller.signal, "removeEventListener");
		const result = withDeadline(new Promise(() => {}), { ...wait, signal: controller.signal });
		const reason = new Error("enough");
		controller.abort(reason);
		await expect(result).rejects.toThrow(CancelledError);
		await expect(result).rejects.toMatchObject({ cause: reason });
		expect(remove).toHaveBeenCalled();
		expect(vi.getTimerCount()).toBe(0);
	});

	test("an aborted signal wins at once, and the promise's later failure is not unhandled", async () => {
		const result = withDeadline(Promise.reject(new Error("late")), { ...wait, signal: AbortSignal.abort() });
		await expect(result).rejects.toThrow(CancelledError);
	});
});

describe("delay", () => {
	test("resolves after its time", async () => {
		const done = vi.fn();
		const pause = delay(50).then(done);
		await vi.advanceTimersByTimeAsync(49);
		expect(done).not.toHaveBeenCalled();
		await vi.advanceTimersByTimeAsync(1);
		await pause;
		expect(done).toHaveBeenCalled();
	});

	test("rejects at once when aborted, before or during, and leaves no timer", async () => {
		await expect(delay(50, AbortSignal.abort())).rejects.toThrow(CancelledError);
		const controller = new AbortController();
		const pause = delay(50, controller.signal);
		controller.abort();
		await expect(pause).rejects.toThrow(CancelledError);
		expect(vi.getTimerCount()).toBe(0);
	});

	test("stops listening to the signal when its time has come", async () => {
		const controller = new AbortController();
		const remove = vi.spyOn(controller.signal, "removeEventListener");
		const pause = delay(5, controller.signal);
		await vi.advanceTimersByTimeAsync(5);
		await pause;
		expect(remove).toHaveBeenCalled();
	});
});
