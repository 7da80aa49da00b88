import { it } from "vitest";
import type { Lab } from "../../../src/lab.ts";
import { destroyAll } from "./guests.ts";

/** Two tries, the first of which may wait in vain for a guest that the emulator has killed. */
const TIMEOUT_MS = 400_000;

/**
 * A test with a running HVM guest, one in some 25 of which the emulator kills. When its known triple fault, and no other,
 * struck meanwhile, a failed test is tried once more, and says so.
 */
export function itRunsHvm(name: string, the: { readonly lab: Lab }, test: () => Promise<void>): void {
	it(
		name,
		async () => {
			const before = await the.lab.tripleFaults();
			try {
				await test();
			} catch (error) {
				if ((await the.lab.tripleFaults()) === before) throw error;
				console.warn(`The emulator's triple fault struck during “${name}”: trying once more`);
				await destroyAll(the.lab);
				await test();
			}
		},
		TIMEOUT_MS,
	);
}
