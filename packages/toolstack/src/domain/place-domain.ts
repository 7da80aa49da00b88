import { type DomId, InvalidInputError } from "@bulkhead/base";
import type { Cpus, SchedulingParameters } from "@bulkhead/hypervisor";
import type { SchedulingConfig } from "@bulkhead/xlcfg";
import type { PlacementSettings } from "../plan/domain-settings.ts";
import { resolveCpuSet } from "./cpu-set.ts";

/** Pins a new domain's vcpus and gives it its share. @throws InvalidInputError, HypervisorError */
export async function placeDomain(cpus: Cpus, domid: DomId, placement: PlacementSettings): Promise<void> {
	const { cpus: hard, cpusSoft: soft, maxVcpus, scheduling } = placement;
	const places = await cpus.topology();
	const resolve = (set: string | undefined): number[] | undefined =>
		set === undefined ? undefined : resolveCpuSet(set, places);
	for (let vcpu = 0; vcpu < Math.min(maxVcpus, Math.max(hard.length, soft.length)); vcpu++)
		await cpus.setAffinity(domid, vcpu, { hard: resolve(hard[vcpu]), soft: resolve(soft[vcpu]) });
	if (scheduling) await cpus.setScheduling(domid, mergeScheduling(await cpus.scheduling(domid), scheduling));
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
