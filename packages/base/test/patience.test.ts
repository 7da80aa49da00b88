import { describe, expect, it } from "vitest";
import { Patience } from "../src/index.ts";

/** What it says after turns that have moved so many bytes. */
function after(...turns: number[]): boolean {
	const patience = new Patience();
	for (const moved of turns) patience.afterTurn(moved);
	return patience.isLooking;
}

describe("patience", () => {
	it("waits for events from the start, and while answers are short", () => {
		expect(after()).toBe(false);
		expect(after(2048, 2048, 2048)).toBe(false);
		expect(after(...Array(50).fill(64))).toBe(false);
	});

	it("looks again while a stream flows, and a few times in vain", () => {
		const stream = Array<number>(4).fill(1024);
		expect(after(...stream)).toBe(true);
		expect(after(...stream, ...Array(9).fill(0))).toBe(true);
		expect(after(...stream, ...Array(10).fill(0))).toBe(false);
		expect(after(...stream, 0, 0, 1024, ...Array(9).fill(0))).toBe(true);
	});

	it("has to see a stream again after it has ended", () => {
		const ended = [...Array<number>(4).fill(1024), ...Array<number>(10).fill(0)];
		expect(after(...ended, 1024)).toBe(false);
		expect(after(...ended, 1024, 1024, 1024, 1024)).toBe(true);
		expect(after(1024, 1024, 1024, 64, 1024)).toBe(false);
	});
});
