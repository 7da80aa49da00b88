import { describe, expect, it } from "vitest";
import { TokenBucket } from "../src/index.ts";

describe("TokenBucket", () => {
	it("permits a burst and then the rate", () => {
		let now = 0;
		const bucket = new TokenBucket({ burst: 3, perSecond: 2, now: () => now });
		expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
		now = 499;
		expect(bucket.take()).toBe(false);
		now = 500;
		expect([bucket.take(), bucket.take()]).toEqual([true, false]);
		now = 1_000_000;
		expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
	});
});
