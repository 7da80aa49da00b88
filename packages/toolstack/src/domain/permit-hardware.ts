import type { DomId } from "@bulkhead/base";
import type { Domains, DomainType } from "@bulkhead/hypervisor";
import type { HardwareSettings } from "../plan/domain-settings.ts";

/** Ports, interrupts and device memory of the host for a domain (libxl: domcreate_launch_dm). */
export async function permitHardware(
	domains: Domains,
	domid: DomId,
	type: DomainType,
	{ ioPorts, irqs, memory }: HardwareSettings,
): Promise<void> {
	for (const range of ioPorts) await domains.permitIoPorts(domid, range, true);
	for (const irq of irqs) await domains.permitIrq(domid, irq);
	for (const { guestFrame, ...range } of memory) {
		await domains.permitMemory(domid, range, true);
		// A PV guest maps machine frames itself.
		if (type !== "pv") await domains.mapMemory(domid, range, guestFrame);
	}
}
