import { InvalidInputError } from "@bulkhead/base";
import type { CpuPlace } from "@bulkhead/hypervisor";
import type { CpuSet } from "@bulkhead/xlcfg";

const TERM = /^(?<not>\^)?(?:(?<all>all)|(?:(?<node>nodes?:)\s*)?(?<from>\d{1,5})(?:-(?<to>\d{1,5}))?)$/;

/**
 * The processors that a set names on this host, ascending: terms joined by commas, each adding to what is before it or,
 * with "^", taking away (xl.cfg(5): cpus).
 * @throws InvalidInputError
 */
export function resolveCpuSet(set: CpuSet, places: readonly CpuPlace[]): number[] {
	const chosen = new Set<number>();
	for (const term of set.split(",").map((each) => each.trim())) {
		const groups = TERM.exec(term)?.groups;
		if (!groups) throw cpuSetError(set, `${JSON.stringify(term)} is no number, range, "all" or "node:"`);
		for (const cpu of cpusOf(groups, places)) {
			if (groups.not) chosen.delete(cpu);
			else chosen.add(cpu);
		}
	}
	if (chosen.size === 0) throw cpuSetError(set, "no processor of this host is left");
	return [...chosen].sort((a, b) => a - b);
}

function cpusOf({ all, node, from, to }: Partial<Record<string, string>>, places: readonly CpuPlace[]): number[] {
	if (all !== undefined) return places.map(({ cpu }) => cpu);
	const first = Number(from);
	const last = to === undefined ? first : Number(to);
	const key = node === undefined ? "cpu" : "node";
	return places.filter((place) => place[key] >= first && place[key] <= last).map(({ cpu }) => cpu);
}

function cpuSetError(set: CpuSet, why: string): InvalidInputError {
	return new InvalidInputError(`The set of processors ${JSON.stringify(set)} cannot be used: ${why}`, {
		remedy: 'Write numbers and ranges like "0-3,^2", "all", or "node:0"',
		fields: { set },
	});
}
