import { BulkheadError, type DomId, InvalidInputError, type Uuid } from "@bulkhead/base";
import type { Affinity, Cpus, DomainInfo, VcpuInfo } from "@bulkhead/hypervisor";
import type { CpuSet } from "@bulkhead/xlcfg";
import type { RingServices } from "../context.ts";
import { resolveCpuSet } from "../domain/cpu-set.ts";
import { allowedCpus } from "../domain/guest-cpus.ts";
import { domainPath } from "../domain/paths.ts";
import { cpusToAdd } from "./hotplug-cpus.ts";
import type { Tuning } from "./memory.ts";

const QMP_TIMEOUT_MS = 15_000;

export interface VcpuState extends VcpuInfo {
	affinity: Affinity;
}

/** Every vcpu that Xen knows of a domain. */
export function listVcpus(cpus: Cpus, { domid, maxVcpuId }: DomainInfo): Promise<VcpuState[]> {
	return Promise.all(
		Array.from({ length: maxVcpuId + 1 }, async (_, vcpu) => {
			const [info, affinity] = await Promise.all([cpus.vcpu(domid, vcpu), cpus.affinity(domid, vcpu)]);
			return { ...info, affinity };
		}),
	);
}

/**
 * Has a guest use so many of its vcpus (libxl_set_vcpuonline). PV and PVH guests are told by xenstore and do it when
 * their kernel gets to it. An HVM guest's are plugged in by QEMU, which cannot take them out again.
 * @throws InvalidInputError, BulkheadError `cannot-unplug`
 */
export async function setVcpus(
	tuning: Tuning & { guest: Uuid; rings: Pick<RingServices, "executeQmp"> },
	count: number,
): Promise<void> {
	const { config, xenstore, domid } = tuning;
	if (count < 1 || count > config.maxVcpus)
		throw new InvalidInputError(`The guest can have 1 to ${config.maxVcpus} vcpus`, {
			remedy: "maxvcpus in the config file sets the most",
			fields: { count, maxVcpus: config.maxVcpus },
		});
	if (config.type === "hvm") return plugCpus(tuning, count);
	await Promise.all(
		Array.from({ length: config.maxVcpus }, (_, vcpu) =>
			xenstore.write(`${domainPath(domid)}/cpu/${vcpu}/availability`, vcpu < count ? "online" : "offline"),
		),
	);
}

async function plugCpus(
	{ guest, rings }: { guest: Uuid; rings: Pick<RingServices, "executeQmp"> },
	count: number,
): Promise<void> {
	const answer = await rings.executeQmp(guest, "query-hotpluggable-cpus", undefined, QMP_TIMEOUT_MS);
	const { present, add } = cpusToAdd(answer, count);
	if (count < present)
		throw new BulkheadError("cannot-unplug", `The HVM guest has ${present} vcpus plugged in, and QEMU keeps them`, {
			remedy: "Take them offline inside the guest, or start it with fewer",
			fields: { count, present },
		});
	for (const cpu of add) await rings.executeQmp(guest, "device_add", cpu, QMP_TIMEOUT_MS);
}

/** Pins one vcpu, or all, to what the host leaves to the guest; sets are in xl's words. @throws InvalidInputError, HypervisorError */
export async function pinVcpus(
	cpus: Cpus,
	{ domid, maxVcpuId }: Pick<DomainInfo, "maxVcpuId"> & { domid: DomId },
	{ vcpu, hard, soft, cpuMasks }: { vcpu: number | "all"; hard?: string; soft?: string; cpuMasks: readonly CpuSet[] },
): Promise<void> {
	if (vcpu !== "all" && vcpu > maxVcpuId)
		throw new InvalidInputError(`The guest has no vcpu ${vcpu}`, { fields: { vcpu, maxVcpuId } });
	const places = await cpus.topology();
	const affinity = {
		...(hard !== undefined && { hard: allowedCpus(hard, cpuMasks, places) }),
		...(soft !== undefined && { soft: resolveCpuSet(soft, places) }),
	};
	const wanted = vcpu === "all" ? Array.from({ length: maxVcpuId + 1 }, (_, each) => each) : [vcpu];
	for (const each of wanted) await cpus.setAffinity(domid, each, affinity);
}
