import type { GuestConfig, PciDeviceConfig } from "@bulkhead/xlcfg";
import { DeviceRefusedError } from "../errors.ts";
import { listAssignable, type PciHost, requireIommu } from "./assignable.ts";
import { pciDevices } from "./pciback.ts";

type Guest = Pick<GuestConfig, "type" | "deviceModel">;

/** @throws DeviceRefusedError unless guests of that kind can have PCI devices at all */
export function checkPciGuest({ type, deviceModel }: Guest): void {
	if (type === "pvh")
		throw refused("A PVH guest's kernel has no driver for PCI devices of the host", 'Use type = "pv" or "hvm"');
	if (type === "hvm" && deviceModel?.place !== "dom0")
		throw refused(
			"The stub domain's kernel is built without PCI, which would have to be tried on hardware",
			"Use device_model_stubdomain_override = 0, or a PV guest",
		);
	if (deviceModel?.restrict)
		throw refused("A restricted QEMU may not set up PCI devices of the host", "Remove dm_restrict");
}

/** Every function that an entry of the config stands for, all of them free. @throws DeviceRefusedError */
export async function functionsOf(host: PciHost, device: PciDeviceConfig): Promise<string[]> {
	await requireIommu(host);
	const assignable = await listAssignable(host);
	const wanted = await addressesOf(host, device, assignable);
	for (const address of wanted) {
		const found = assignable.find((each) => each.address === address);
		if (found?.domid !== undefined)
			throw refused(`PCI device ${address} is domain ${found.domid}'s`, "Detach it there");
		if (!found && !device.seize)
			throw refused(
				`PCI device ${address} is not assignable`,
				`Run bulkhead pci-assignable-add ${address}, or add seize=1`,
			);
	}
	return wanted;
}

async function addressesOf(
	{ hypervisor: { sysfs } }: PciHost,
	{ address, name, slot }: PciDeviceConfig,
	assignable: readonly { address: string; name?: string }[],
): Promise<string[]> {
	if (name !== undefined) {
		const found = assignable.find((each) => each.name === name);
		if (!found) throw refused(`No assignable PCI device has the name ${name}`, "See `bulkhead pci-assignable-list`");
		return [found.address];
	}
	const all = await pciDevices(sysfs);
	const stem = address.slice(0, -1);
	const wanted = address.endsWith("*") ? all.filter((each) => each.startsWith(stem)) : [address];
	if (wanted.length === 0 || !wanted.every((each) => all.includes(each)))
		throw refused(`The host has no PCI device ${address}`, "See `lspci -D`");
	if (wanted.length > 1 && slot === undefined)
		throw refused("A device with several functions needs a slot of the guest", `Write ${address}@SLOT`);
	return wanted;
}

const refused = (message: string, remedy: string): DeviceRefusedError =>
	new DeviceRefusedError("device-refused", message, { remedy });
