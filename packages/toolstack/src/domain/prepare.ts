import { DOM0, type DomId, type EvtchnPort } from "@bulkhead/base";
import type { Domains } from "@bulkhead/hypervisor";

/** libxl's LIBXL_MAXMEM_CONSTANT: what a domain may use beyond its memory. */
const MEMORY_SLACK_KIB = 1024;
const ONE_MIB = 1024 * 1024;

export interface Preparation {
	domid: DomId;
	type: "pv" | "hvm";
	maxVcpus: number;
	memoryKiB: number;
}

/** Everything a created domain needs before an image can be loaded (libxl__build_pre). */
export async function prepareDomain(
	domains: Domains,
	{ domid, type, maxVcpus, memoryKiB }: Preparation,
): Promise<{ storePort: EvtchnPort; consolePort: EvtchnPort }> {
	await domains.setMaxVcpus(domid, maxVcpus);
	const [storePort, consolePort] = await Promise.all([
		domains.allocUnboundEvtchn(domid, DOM0),
		domains.allocUnboundEvtchn(domid, DOM0),
		domains.setMaxMemory(domid, memoryKiB + MEMORY_SLACK_KIB),
		domains.setTscMode(domid, "default"),
		...(type === "hvm"
			? prepareHvm(domains, domid, maxVcpus, memoryKiB)
			: [domains.setMemoryMapLimit(domid, memoryKiB)]),
	]);
	await domains.applyCpuPolicy(domid);
	return { storePort, consolePort };
}

function prepareHvm(domains: Domains, domid: DomId, maxVcpus: number, memoryKiB: number): Promise<void>[] {
	return [
		domains.setHvmParam(domid, "hpetEnabled", 1),
		domains.setHvmParam(domid, "vptAlign", 1),
		domains.setHvmParam(domid, "timerMode", 1),
		domains.setPagingMempool(domid, pagingMempoolBytes(maxVcpus, memoryKiB)),
	];
}

/** libxl__get_required_paging_memory, rounded up to whole MiB: 4 KiB × (256 for a vcpus + 2 for each MiB). */
export function pagingMempoolBytes(maxVcpus: number, memoryKiB: number): number {
	const bytes = 4096 * (256 * maxVcpus + 2 * Math.ceil(memoryKiB / 1024));
	return Math.ceil(bytes / ONE_MIB) * ONE_MIB;
}
