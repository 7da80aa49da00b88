import { InvalidInputError, printable } from "@bulkhead/base";
import type { CpuSet } from "../guest-config.ts";

const PART = /^\^?(?:all|nodes?:(?:all|[0-9]{1,4}(?:-[0-9]{1,4})?)|[0-9]{1,5}(?:-[0-9]{1,5})?)$/;
const RANGE = /([0-9]+)-([0-9]+)$/;
const LONGEST = 1024;

/**
 * Checks how a set of physical cpus is worded (xl-cfg.md §4): "0-3,^2", "all,^node:1", "nodes:0-1". Which of them the
 * host has is for the host to say.
 * @throws InvalidInputError
 */
export function checkCpuSet(text: string): CpuSet {
	const parts = text.split(",").map((part) => part.trim());
	const shown = `"${printable(text, 64)}"`;
	const bad = parts.find((part) => !PART.test(part.replace(/^\^\s+/, "^")));
	if (text.length > LONGEST || bad !== undefined)
		throw new InvalidInputError(`${shown} is no set of cpus`, { remedy: 'Write "0-3,^2", "all" or "node:1"' });
	for (const part of parts) {
		const [, from, to] = RANGE.exec(part) ?? [];
		if (from !== undefined && Number(from) > Number(to))
			throw new InvalidInputError(`The range ${part} in ${shown} runs backwards`);
	}
	if (parts.every((part) => part.startsWith("^")))
		throw new InvalidInputError(`${shown} takes cpus away from nothing`, { remedy: 'Begin with "all,"' });
	return parts.join(",");
}
