import { describe, expect, it } from "vitest";
import { FairTurns } from "../src/ring/fair-turns.ts";

const nextRound = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("FairTurns", () => {
	it("gives each its turn before anybody has a second one", async () => {
		const turns = new FairTurns(() => 0);
		const order: string[] = [];
		const greedy = (name: string, times: number) => (): void => {
			order.push(name);
			if (times > 1) turns.plan(greedy(name, times - 1));
		};
		for (const name of ["a", "b", "c"]) turns.plan(greedy(name, 3));
		await nextRound();
		expect(order.join("")).toBe("abcabcabc");
	});

	it("leaves the event loop to others when its time is up, and goes on in the next round", async () => {
		let now = 0;
		const turns = new FairTurns(() => now);
		let taken = 0;
		const slow = (): void => {
			taken++;
			now += 3;
			turns.plan(slow);
		};
		turns.plan(slow);
		await nextRound();
		expect(taken).toBe(2);
		await nextRound();
		expect(taken).toBe(4);
	});

	it("goes on after a turn that throws", async () => {
		const turns = new FairTurns(() => 0);
		const thrown: unknown[] = [];
		const before = process.listeners("uncaughtException");
		process.removeAllListeners("uncaughtException");
		process.once("uncaughtException", (error) => thrown.push(error));
		let isTaken = false;
		turns.plan(() => {
			throw new Error("a bug");
		});
		turns.plan(() => {
			isTaken = true;
		});
		await nextRound();
		await nextRound();
		for (const listener of before) process.on("uncaughtException", listener);
		expect(isTaken).toBe(true);
		expect(String(thrown[0])).toContain("a bug");
	});
});
