import { InvalidInputError } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";

const UNITS: Readonly<Record<string, number>> = { k: 1, m: 1024, g: 1024 ** 2, t: 1024 ** 3 };
const SIZE = /^(?<digits>\d{1,12})(?<unit>[kmgt])?b?$/i;

/** As in xl: a number counts MiB, unless it says k, m, g or t. @throws InvalidInputError */
export function parseMemorySize(text: string): number {
	const { digits, unit = "m" } = SIZE.exec(text)?.groups ?? {};
	if (digits === undefined)
		throw new InvalidInputError(`${JSON.stringify(text)} is no size of memory`, {
			remedy: "Write a number of MiB, or one with k, m, g or t: 512, 512m, 1g",
		});
	return Number(digits) * (UNITS[unit.toLowerCase()] ?? 1);
}

export async function memSet(context: CommandContext, ref: string, size: string): Promise<void> {
	const targetKiB = parseMemorySize(size);
	await context.client.setMemory(ref, { targetKiB });
	if (context.json) context.printJson({ targetKiB });
}

export async function memMax(context: CommandContext, ref: string, size: string): Promise<void> {
	const maxKiB = parseMemorySize(size);
	await context.client.setMemory(ref, { maxKiB });
	if (context.json) context.printJson({ maxKiB });
}
