import { afterEach, beforeAll, expect } from "vitest";
import type { Lab } from "../../../src/lab.ts";
import { findResidue, takeSnapshot } from "../../../src/residue.ts";
import { destroyAll } from "./guests.ts";

/**
 * After each test no guest is there, and dom0 is as it was before the first. To be called after the file's own `beforeAll`, whose
 * work is not residue.
 *
 * @param afterwards what more is done or looked at when the guests are gone
 */
export function leaveNothing(the: { readonly lab: Lab }, afterwards?: () => Promise<unknown>): void {
	let before: string[];
	beforeAll(async () => {
		before = await takeSnapshot(the.lab);
	});
	afterEach(async () => {
		await destroyAll(the.lab);
		await afterwards?.();
		expect(await findResidue(the.lab, before)).toEqual([]);
	});
}
