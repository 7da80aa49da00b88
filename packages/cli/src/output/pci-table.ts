import type { GuestPci } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";

/** PCI devices in the columns of `xl pci-list`; "-" for a slot that the guest's bus chose. */
export function pciTable(devices: readonly GuestPci[]): string {
	const lines = devices.map(
		({ address, name, slot }) =>
			`${(slot === undefined ? "-" : `${slot.toString(16).padStart(2, "0")}.0`).padEnd(4)} ${printable(name ?? address, 64)}`,
	);
	return ["Vdev Device", ...lines].join("\n");
}
