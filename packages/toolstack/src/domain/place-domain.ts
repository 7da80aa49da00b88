import { type DomId, InvalidInputError } from "@bulkhead/base";
import type { Affinity, CpuPlace, Cpus, SchedulingParameters } from "@bulkhead/hypervisor";
import type { SchedulingConfig } from "@bulkhead/xlcfg";
import type { PlacementSettings } from "../plan/domain-settings.ts";
import { allowedCpus } from "./guest-cpus.ts";

/** Pins a new domain's vcpus and gives it its share. @throws InvalidInputError, HypervisorError */
export async function placeDomain(cpus: Cpus, domid: DomId, placement: PlacementSettings): Promise<void> {
	const { scheduling } = placement;
	for (const [vcpu, affinity] of affinities(placement, await cpus.topology()).entries())
		if (affinity.hard || affinity.soft) await cpus.setAffinity(domid, vcpu, affinity);
	if (scheduling) await cpus.setScheduling(domid, mergeScheduling(await cpus.scheduling(domid), scheduling));
}

/** What each vcpu is pinned to, vcpu 0's first. @throws InvalidInputError for processors that cannot be had */
export function affinities(
	{ cpus, cpusSoft, cpuMasks, maxVcpus }: PlacementSettings,
	places: readonly CpuPlace[],
): Partial<Affinity>[] {
	return Array.from({ length: maxVcpus }, (_, vcpu) => ({
		hard: allowedCpus(cpus[vcpu], cpuMasks, places),
		soft: allowedCpus(cpusSoft[vcpu], [], places),
	}));
}

/**
 * The parameters in force with those that are wanted in their place.
 * @throws InvalidInputError for a parameter that the domain's scheduler does not have
 */
export function mergeScheduling(now: SchedulingParameters, wanted: SchedulingConfig): SchedulingParameters {
	const { weight, cap, periodUs, budgetUs } = wanted;
	const isReservation = periodUs !== undefined || budgetUs !== undefined;
	const isShare = weight !== undefined || cap !== undefined;
	if (now.scheduler === "rtds" ? isShare : isReservation)
		throw new InvalidInputError(
			`The scheduler ${now.scheduler} does not know ${isShare ? "weight and cap" : "period and budget"}`,
			{
				remedy: now.scheduler === "rtds" ? "Use period and slice" : "Use cpu_weight and cap",
				fields: { scheduler: now.scheduler },
			},
		);
	if (now.scheduler === "rtds")
		return { ...now, periodUs: periodUs ?? now.periodUs, budgetUs: budgetUs ?? now.budgetUs };
	return { ...now, weight: weight ?? now.weight, cap: cap ?? now.cap };
}
