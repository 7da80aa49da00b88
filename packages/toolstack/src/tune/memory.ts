import { type DomId, InvalidInputError } from "@bulkhead/base";
import type { Hypervisor } from "@bulkhead/hypervisor";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { GuestConfig } from "@bulkhead/xlcfg";
import { domainPath } from "../domain/paths.ts";
import { MEMORY_SLACK_KIB } from "../domain/prepare.ts";
import { NotEnoughMemoryError } from "../errors.ts";

export interface Tuning {
	domid: DomId;
	config: Pick<GuestConfig, "type" | "memoryKiB" | "maxMemoryKiB" | "maxVcpus" | "videoMemoryKiB">;
	hypervisor: Hypervisor;
	xenstore: XenstoreClient;
}

/** Below this no guest that anybody has goes on. */
const LEAST_TARGET_KIB = 16 * 1024;

/**
 * Asks a guest's balloon driver for another size, video memory included as in the config, and lets Xen hold it to that
 * (libxl_set_memory_target). Answers the size before.
 * @throws InvalidInputError, NotEnoughMemoryError
 */
export async function setMemoryTarget(tuning: Tuning, targetKiB: number): Promise<{ beforeKiB: number }> {
	const { domid, config, hypervisor, xenstore } = tuning;
	const { videoMemoryKiB, maxMemoryKiB, type } = config;
	const least = videoMemoryKiB + LEAST_TARGET_KIB;
	if (targetKiB < least || targetKiB > maxMemoryKiB)
		throw new InvalidInputError(`The guest's memory can be ${toMiB(least)} to ${toMiB(maxMemoryKiB)} MiB`, {
			remedy: "Give a size in that range; maxmem in the config file sets the most",
			fields: { targetKiB, least, maxMemoryKiB },
		});
	const node = `${domainPath(domid)}/memory/target`;
	const beforeKiB = Number(await xenstore.readText(node)) + videoMemoryKiB;
	const { freeKiB } = await hypervisor.domains.hostInfo();
	if (targetKiB - beforeKiB > freeKiB)
		throw new NotEnoughMemoryError(`The host has ${toMiB(freeKiB)} MiB free`, {
			remedy: "Ask for less, or take memory from another guest",
			fields: { freeKiB, beforeKiB, targetKiB },
		});
	await hypervisor.domains.setMaxMemory(domid, targetKiB + MEMORY_SLACK_KIB);
	if (type !== "pv") await hypervisor.domains.setPodTarget(domid, targetKiB - videoMemoryKiB);
	await xenstore.write(node, targetKiB - videoMemoryKiB);
	return { beforeKiB };
}

/** Lets Xen allow the guest so much at most (libxl_domain_setmaxmem). Its balloon driver is not asked. */
export async function setMemoryLimit({ domid, hypervisor, xenstore, config }: Tuning, maxKiB: number): Promise<void> {
	const targetKiB = Number(await xenstore.readText(`${domainPath(domid)}/memory/target`)) + config.videoMemoryKiB;
	if (maxKiB < targetKiB)
		throw new InvalidInputError(`The guest is to have ${toMiB(targetKiB)} MiB: the limit cannot be lower`, {
			remedy: "Lower its memory first: mem-set",
			fields: { maxKiB, targetKiB },
		});
	await hypervisor.domains.setMaxMemory(domid, maxKiB + MEMORY_SLACK_KIB);
}

const toMiB = (kiB: number): number => Math.floor(kiB / 1024);
