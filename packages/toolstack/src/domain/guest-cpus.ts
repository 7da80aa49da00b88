import { InvalidInputError } from "@bulkhead/base";
import type { CpuPlace } from "@bulkhead/hypervisor";
import type { CpuSet, GuestConfig } from "@bulkhead/xlcfg";
import { resolveCpuSet } from "./cpu-set.ts";

/** The processors that a host leaves to guests, whatever their configs say (xl.conf(5): vm.cpumask, vm.hvm.cpumask, vm.pv.cpumask). */
export interface GuestCpus {
	all?: CpuSet;
	/** HVM and PVH. */
	hvm?: CpuSet;
	pv?: CpuSet;
}

/** The sets that hold for a type of guest. */
export function cpuMasksFor(type: GuestConfig["type"], { all, hvm, pv }: GuestCpus): CpuSet[] {
	return [all, type === "pv" ? pv : hvm].filter((mask) => mask !== undefined);
}

/**
 * Those of the wanted processors, or of all, that the host leaves to the guest; undefined: nothing is wanted, and nothing kept.
 * @throws InvalidInputError when none is left
 */
export function allowedCpus(
	wanted: CpuSet | undefined,
	masks: readonly CpuSet[],
	places: readonly CpuPlace[],
): number[] | undefined {
	if (wanted === undefined && masks.length === 0) return undefined;
	const kept = masks.map((mask) => new Set(resolveCpuSet(mask, places)));
	const allowed = resolveCpuSet(wanted ?? "all", places).filter((cpu) => kept.every((mask) => mask.has(cpu)));
	if (allowed.length > 0) return allowed;
	throw new InvalidInputError(
		`This host leaves none of the processors ${JSON.stringify(wanted ?? "all")} to the guest`,
		{
			remedy: `Name some of ${masks.map((mask) => JSON.stringify(mask)).join(" and ")}, or have bulkheadd started with others`,
			fields: { wanted, masks },
		},
	);
}
