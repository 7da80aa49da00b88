import { it } from "vitest";
import type { Lab } from "../../../src/lab.ts";
import { destroyAll } from "./guests.ts";

/** Two tries, the first of which may wait in vain for a guest that the emulator has killed. */
const TIMEOUT_MS = 400_000;

/**
 * Does something with a starting HVM guest, one in some 25 of which the emulator kills. When its known triple fault, and
 * no other, struck meanwhile, what failed is tried once more, and says so.
 */
export async function retryOnFlake<T>(lab: Lab, what: string, act: () => Promise<T>): Promise<T> {
	const before = await lab.tripleFaults();
	try {
		return await act();
	} catch (error) {
		if ((await lab.tripleFaults()) === before) throw error;
		console.warn(`The emulator's triple fault struck during “${what}”: trying once more`);
		await destroyAll(lab);
		return act();
	}
}

/** A test with HVM guests of its own. */
export function itRunsHvm(name: string, the: { readonly lab: Lab }, test: () => Promise<void>): void {
	it(name, () => retryOnFlake(the.lab, name, test), TIMEOUT_MS);
}
