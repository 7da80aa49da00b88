import { expect, it } from "vitest";
import { fuzz } from "./fuzz-server.ts";

/** A million and more: `npm run fuzz`. */
it("parsers and server withstand 30,000 random, mutated, oversized, halved and flooding messages", async () => {
	const seed = Math.floor(Math.random() * 0xffff_ffff);
	const { cases, connections } = await fuzz({ cases: 30_000, seed });
	expect(cases).toBeGreaterThanOrEqual(30_000);
	expect(connections).toBeGreaterThan(10);
}, 60_000);
