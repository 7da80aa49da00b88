import { DOM0, type DomId, type EvtchnPort } from "@bulkhead/base";
import type { Domains, HvmParam } from "@bulkhead/hypervisor";
import type { PrepareSettings } from "../plan/domain-settings.ts";
import { guestMemoryMap } from "./guest-memory-map.ts";

/** libxl's LIBXL_MAXMEM_CONSTANT: what a domain may use beyond its memory. */
export const MEMORY_SLACK_KIB = 1024;
const ONE_MIB = 1024 * 1024;

/** Everything a created domain needs before an image can be loaded (libxl__build_pre). */
export async function prepareDomain(
	domains: Domains,
	domid: DomId,
	settings: PrepareSettings,
): Promise<{ storePort: EvtchnPort; consolePort: EvtchnPort }> {
	const { type, maxVcpus, memoryKiB, maxMemoryKiB, pagingBytes, tscMode } = settings;
	await domains.setMaxVcpus(domid, maxVcpus);
	const timeOffset = settings.timeOffsetSeconds + (settings.localtime ? localOffsetSeconds() : 0);
	const params = Object.entries(settings.hvmParams) as [HvmParam, number][];
	const [storePort, consolePort] = await Promise.all([
		domains.allocUnboundEvtchn(domid, DOM0),
		domains.allocUnboundEvtchn(domid, DOM0),
		domains.setMaxMemory(domid, memoryKiB + MEMORY_SLACK_KIB),
		domains.setTscMode(domid, tscMode),
		...(timeOffset === 0 ? [] : [domains.setTimeOffset(domid, timeOffset)]),
		...params.map(([param, value]) => domains.setHvmParam(domid, param, value)),
		type === "pv" ? domains.setMemoryMapLimit(domid, maxMemoryKiB) : domains.setPagingMempool(domid, pagingBytes),
	]);
	if (settings.hostMemoryMap)
		await domains.setMemoryMap(domid, guestMemoryMap(await domains.hostMemoryMap(), maxMemoryKiB * 1024));
	await domains.applyCpuPolicy(domid, settings.cpuPolicy);
	return { storePort, consolePort };
}

/** How far the host's local time is ahead of UTC now. */
const localOffsetSeconds = (): number => -new Date().getTimezoneOffset() * 60;

/** libxl__get_required_paging_memory, rounded up to whole MiB: 4 KiB × (256 for a vcpus + 2 for each MiB). */
export function pagingMempoolBytes(maxVcpus: number, memoryKiB: number): number {
	const bytes = 4096 * (256 * maxVcpus + 2 * Math.ceil(memoryKiB / 1024));
	return Math.ceil(bytes / ONE_MIB) * ONE_MIB;
}
