import type {
	GuestScheduling,
	GuestVcpus,
	PinRequest,
	SetMemoryRequest,
	SetSchedulingRequest,
	TriggerRequest,
} from "@bulkhead/api";
import { BulkheadError, InvalidInputError } from "@bulkhead/base";
import type { DomainInfo } from "@bulkhead/hypervisor";
import {
	cpuMasksFor,
	domainPath,
	listPools,
	listVcpus,
	mergeScheduling,
	pinVcpus,
	setMemoryLimit,
	setMemoryTarget,
	setVcpus,
	type Tuning,
} from "@bulkhead/toolstack";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";
import { requireDomid } from "./power.ts";

const QMP_TIMEOUT_MS = 15_000;

/** What Xen says of the guest's domain now. @throws BulkheadError `guest-not-running` */
export async function requireDomain(guest: Guest, { hypervisor }: Services): Promise<DomainInfo> {
	const domain = await hypervisor.domains.find(requireDomid(guest));
	if (domain && !domain.dying) return domain;
	throw new BulkheadError("guest-not-running", `Guest ${guest.name} has no domain any more`);
}

export async function describeVcpus(guest: Guest, services: Services): Promise<GuestVcpus> {
	const { cpus } = services.hypervisor;
	const domain = await requireDomain(guest, services);
	const [vcpus, places] = await Promise.all([listVcpus(cpus, domain), cpus.topology()]);
	return {
		name: guest.name,
		domid: domain.domid,
		hostCpus: places.length,
		vcpus: vcpus.map(({ affinity, ...vcpu }) => ({ ...vcpu, hard: [...affinity.hard], soft: [...affinity.soft] })),
	};
}

/** @throws InvalidInputError, BulkheadError `guest-not-running` */
export async function pinGuest(
	guest: Guest,
	services: Services,
	{ ignoreMasks, ...request }: PinRequest,
): Promise<void> {
	const { hypervisor, installed } = services;
	const cpuMasks = ignoreMasks ? [] : cpuMasksFor(guest.record.config.type, installed.guestCpus);
	await pinVcpus(hypervisor.cpus, await requireDomain(guest, services), { ...request, cpuMasks });
}

export function setGuestVcpus(guest: Guest, services: Services, count: number): Promise<void> {
	const { relay } = services;
	return guest.operations.run(() => setVcpus({ ...tuning(guest, services), guest: guest.uuid, rings: relay }, count));
}

export function setGuestMemory(guest: Guest, services: Services, request: SetMemoryRequest): Promise<void> {
	return guest.operations.run(async () => {
		if (request.targetKiB !== undefined) await setMemoryTarget(tuning(guest, services), request.targetKiB);
		if (request.maxKiB !== undefined) await setMemoryLimit(tuning(guest, services), request.maxKiB);
	});
}

export async function describeScheduling(guest: Guest, services: Services): Promise<GuestScheduling> {
	const { cpus } = services.hypervisor;
	const { domid, cpupool } = await requireDomain(guest, services);
	const pools = await listPools({ cpus, xenstore: services.xenstore });
	const pool = pools.find(({ id }) => id === cpupool)?.name ?? "";
	return { name: guest.name, domid, pool, ...(await cpus.scheduling(domid)) };
}

export async function setGuestScheduling(
	guest: Guest,
	services: Services,
	{ scheduler, ...wanted }: SetSchedulingRequest,
): Promise<GuestScheduling> {
	const { cpus } = services.hypervisor;
	const { domid } = await requireDomain(guest, services);
	const now = await cpus.scheduling(domid);
	if (now.scheduler !== scheduler)
		throw new InvalidInputError(`Guest ${guest.name} runs under ${now.scheduler}, not ${scheduler}`, {
			remedy: `Use sched-${now.scheduler}`,
			fields: { scheduler: now.scheduler },
		});
	await cpus.setScheduling(domid, mergeScheduling(now, wanted));
	return describeScheduling(guest, services);
}

/** As a button of a PC. Waking from S3 is QEMU's to do, and Xen's where there is none to ask. */
export async function triggerGuest(guest: Guest, services: Services, { trigger, vcpu }: TriggerRequest): Promise<void> {
	const { domains } = services.hypervisor;
	const domid = requireDomid(guest);
	if (trigger !== "s3resume") return domains.sendTrigger(domid, trigger, vcpu);
	const { type, deviceModel } = guest.record.config;
	if (type !== "hvm") throw new InvalidInputError("Only HVM guests sleep in S3");
	if (deviceModel?.place === "minios") return domains.setHvmParam(domid, "acpiSState", 0);
	await services.relay.executeQmp(guest.uuid, "system_wakeup", undefined, QMP_TIMEOUT_MS);
}

/** Linux' magic keys, where the guest listens for them. */
export async function sendSysrq(guest: Guest, { xenstore }: Services, key: string): Promise<void> {
	await xenstore.write(`${domainPath(requireDomid(guest))}/control/sysrq`, key);
}

function tuning(guest: Guest, { hypervisor, xenstore }: Services): Tuning {
	return { domid: requireDomid(guest), config: guest.record.config, hypervisor, xenstore };
}
