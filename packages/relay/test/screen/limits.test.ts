import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { PasswordGuard } from "../../src/screen/password-guard.ts";
import { RateLimit } from "../../src/stream/rate-limit.ts";

describe("PasswordGuard", () => {
	it("asks an address that fails too often no more for a while, and lets others be", () => {
		let now = 0;
		const guard = new PasswordGuard(() => now);
		for (let attempt = 0; attempt < 5; attempt++) expect(guard.admits("10.0.0.1")).toBe(true);
		expect(guard.admits("10.0.0.1")).toBe(false);
		expect(guard.admits("10.0.0.2")).toBe(true);
		now += 9_000;
		expect(guard.admits("10.0.0.1")).toBe(false);
		now += 2_000;
		expect(guard.admits("10.0.0.1")).toBe(true);
		expect(guard.admits("10.0.0.1")).toBe(false);
	});

	it("does not count who had the password, and lets no more than five try at a time", () => {
		const guard = new PasswordGuard(() => 0);
		for (let viewer = 0; viewer < 100; viewer++) {
			expect(guard.admits("10.0.0.1")).toBe(true);
			guard.spare("10.0.0.1");
		}
		const admitted = Array.from({ length: 32 }, () => guard.admits("10.0.0.1"));
		expect(admitted.filter(Boolean)).toHaveLength(5);
	});

	it("asks nobody any more while many addresses fail, and keeps a bounded number of them", () => {
		let now = 0;
		const guard = new PasswordGuard(() => now);
		for (let address = 0; address < 10_000; address++) {
			guard.admits(`10.0.${address >> 8}.${address & 255}`);
			now += 1;
		}
		guard.admits("10.1.0.0");
		expect(guard.admits("10.1.0.1")).toBe(false);
		now += 2_000;
		expect(guard.admits("10.1.0.1")).toBe(true);
	});
});

describe("RateLimit", () => {
	it("passes a burst at once and the rest at its rate, with nothing lost, and no timer left at its end", async () => {
		const limit = new RateLimit({ burstBytes: 1000, bytesPerSecond: 10_000 });
		const started = performance.now();
		let got = 0;
		limit.on("data", (chunk: Buffer) => {
			got += chunk.length;
		});
		for (let count = 0; count < 6; count++) limit.write(Buffer.alloc(500));
		limit.end();
		await once(limit, "end");
		expect(got).toBe(3000);
		// 2000 bytes above the burst.
		expect(performance.now() - started).toBeGreaterThan(190);
	});

	it("ends at once when it is destroyed while it waits", async () => {
		const limit = new RateLimit({ burstBytes: 1, bytesPerSecond: 1 });
		limit.resume();
		limit.write(Buffer.alloc(1000));
		limit.destroy();
		await once(limit, "close");
	});
});
