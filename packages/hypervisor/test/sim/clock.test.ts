import { describe, expect, test } from "vitest";
import { pause, RealClock, VirtualClock } from "../../src/sim/index.ts";

describe("VirtualClock", () => {
	test("alarms ring in their order, those set meanwhile included", async () => {
		const clock = new VirtualClock();
		const rung: string[] = [];
		clock.after(30, () => rung.push(`c at ${clock.now()}`));
		clock.after(10, () => {
			rung.push(`a at ${clock.now()}`);
			clock.after(10, () => rung.push(`b at ${clock.now()}`));
		});
		const takeBack = clock.after(25, () => rung.push("never"));
		takeBack();
		await clock.advance(29);
		expect(rung).toEqual(["a at 10", "b at 20"]);
		await clock.advance(1);
		expect(rung).toEqual(["a at 10", "b at 20", "c at 30"]);
		expect(clock.pending).toBe(0);
	});

	test("a pause ends at its time, or with its signal", async () => {
		const clock = new VirtualClock();
		const stop = new AbortController();
		const pauses = [pause(clock, 5), pause(clock, 500, stop.signal)] as const;
		await clock.advance(5);
		await pauses[0];
		stop.abort(new RangeError("stop"));
		await expect(pauses[1]).rejects.toThrow(RangeError);
		expect(clock.pending).toBe(0);
	});
});

describe("RealClock", () => {
	test("goes by itself", async () => {
		const clock = new RealClock();
		const before = clock.now();
		await pause(clock, 1);
		expect(clock.now()).toBeGreaterThan(before);
	});
});
