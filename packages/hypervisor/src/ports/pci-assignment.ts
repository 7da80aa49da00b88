import type { DomId } from "@bulkhead/base";

/** "0000:03:00.0" as Xen numbers it. @throws TypeError */
export function pciNumber(address: string): number {
	const parts = /^([0-9a-f]{4}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/.exec(address)?.slice(1);
	if (!parts) throw new TypeError(`${JSON.stringify(address)} is no address of a PCI function`);
	const [segment = 0, bus = 0, device = 0, fn = 0] = parts.map((part) => Number.parseInt(part, 16));
	return segment * 0x1_0000 + bus * 0x100 + device * 8 + fn;
}

/**
 * Which domain a PCI device of the host belongs to, as the IOMMU enforces it (domctl.h: assign_device). A device is named
 * by its number: segment << 16 | bus << 8 | device << 3 | function (pciNumber). Every method: HypervisorError EOPNOTSUPP on a host, or
 * for a domain, without IOMMU.
 */
export interface PciAssignment {
	/** Whether the device may be given to the domain: EINVAL when another one has it, or there is none. */
	test(domid: DomId, device: number): Promise<void>;
	/** `relaxed`: the device's reserved memory may overlap the guest's. */
	assign(domid: DomId, device: number, options: { relaxed: boolean }): Promise<void>;
	deassign(domid: DomId, device: number): Promise<void>;
	/** Nobody's: its memory accesses lead nowhere (DOMID_IO). */
	quarantine(device: number): Promise<void>;
	/** Domain 0's again. */
	release(device: number): Promise<void>;
}
