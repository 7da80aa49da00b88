import { PassThrough } from "node:stream";
import { delay } from "@bulkhead/base";
import { expect, it } from "vitest";
import { throttle } from "../src/qmp/throttle.ts";

it("throttle lets a burst through, and then no more than the rate", async () => {
	const stream = new PassThrough();
	throttle(stream, { burstBytes: 100_000, bytesPerSecond: 100_000 });
	let got = 0;
	stream.on("data", (chunk: Buffer) => {
		got += chunk.length;
	});
	const started = performance.now();
	const piece = Buffer.alloc(10_000);
	const more = (): void => {
		while (!stream.destroyed && stream.write(piece));
		if (!stream.destroyed) stream.once("drain", more);
	};
	more();
	await delay(300);
	const permitted = 100_000 + ((performance.now() - started) / 1000) * 100_000;
	expect(got).toBeGreaterThanOrEqual(100_000);
	expect(got).toBeLessThanOrEqual(permitted + 10_000);
	stream.destroy();
});
