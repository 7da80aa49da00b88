import { expect, it } from "vitest";
import { Looks } from "../src/index.ts";

it("looks until there is enough, and no more often in a turn than it may", () => {
	const looks = new Looks(10);
	let asked = 0;
	expect(looks.lookFor(4, () => ++asked)).toBe(4);
	expect(looks.lookFor(100, () => ++asked)).toBe(12);
	expect(looks.lookFor(100, () => ++asked)).toBe(13);
	looks.renew();
	expect(looks.lookFor(15, () => ++asked)).toBe(15);
});
