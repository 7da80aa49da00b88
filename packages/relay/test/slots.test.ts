import { describe, expect, it } from "vitest";
import { Slots } from "../src/qmp/slots.ts";

const WAIT = { timeoutMs: 5000, what: "a turn" };

describe("Slots", () => {
	it("let so many run at once, the others in order", async () => {
		const slots = new Slots(2);
		const started: number[] = [];
		const finish: (() => void)[] = [];
		const runs = [0, 1, 2, 3].map((number) =>
			slots.run(() => {
				started.push(number);
				return new Promise<void>((resolve) => finish.push(resolve));
			}, WAIT),
		);
		const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
		await turn();
		expect(started).toEqual([0, 1]);
		finish[1]?.();
		await turn();
		expect(started).toEqual([0, 1, 2]);
		finish[0]?.();
		await turn();
		expect(started).toEqual([0, 1, 2, 3]);
		for (const end of finish) end();
		await Promise.all(runs);
	});

	it("forget who gave up waiting, and go on after a failure", async () => {
		const slots = new Slots(1);
		let fail: (error: Error) => void = () => {};
		const failing = slots.run(() => new Promise<void>((_, reject) => (fail = reject)), WAIT);
		await expect(slots.run(async () => {}, { ...WAIT, timeoutMs: 5 })).rejects.toMatchObject({
			code: "deadline-exceeded",
		});
		fail(new Error("no"));
		await expect(failing).rejects.toThrow("no");
		expect(await slots.run(async () => 5, WAIT)).toBe(5);
	});

	it("refuse when too many wait", async () => {
		const slots = new Slots(0);
		const waiting = Array.from({ length: 512 }, () =>
			slots.run(async () => {}, { ...WAIT, timeoutMs: 50 }).catch(() => {}),
		);
		await expect(slots.run(async () => {}, WAIT)).rejects.toMatchObject({ code: "qmp-busy" });
		await Promise.all(waiting);
	});
});
