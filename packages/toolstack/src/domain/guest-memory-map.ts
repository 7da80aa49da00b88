import type { MemoryRegion } from "@bulkhead/hypervisor";

const ONE_MIB = 2 ** 20;
const FOUR_GIB = 2 ** 32;

/**
 * The memory map of a PV guest that shall find devices where the host has them (e820_host; libxl: e820_sanitize): its own
 * memory from 0 up to the host's first reserved region beyond 1 MiB, what it does not fill unusable, then the host's regions
 * without its RAM, then what is left of the guest's memory, above all of it.
 */
export function guestMemoryMap(host: readonly MemoryRegion[], memoryBytes: number): MemoryRegion[] {
	const reserved = host
		.filter(({ type, start, size }) => type !== "ram" && type !== "unusable" && size > 0 && start >= ONE_MIB)
		.toSorted((a, b) => a.start - b.start);
	const hole = reserved[0]?.start ?? FOUR_GIB;
	const low = Math.min(memoryBytes, hole);
	const above = Math.max(FOUR_GIB, ...reserved.map(({ start, size }) => start + size));
	const ram: MemoryRegion = { start: 0, size: low, type: "ram" };
	const gap: MemoryRegion[] = low < hole ? [{ start: low, size: hole - low, type: "unusable" }] : [];
	const rest: MemoryRegion[] = memoryBytes > low ? [{ start: above, size: memoryBytes - low, type: "ram" }] : [];
	return [ram, ...gap, ...reserved, ...rest];
}
