import type { Hypervisor } from "@bulkhead/hypervisor";
import { pciNumber } from "@bulkhead/hypervisor";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { DeviceRefusedError } from "../errors.ts";
import { bindToPciback, pcibackDevices, pciDevices, unbindFromPciback } from "./pciback.ts";

export interface PciHost {
	hypervisor: Pick<Hypervisor, "domains" | "pci" | "sysfs">;
	xenstore: XenstoreClient;
}

export interface AssignableDevice {
	address: string;
	/** Given to it when it was made assignable. */
	name?: string;
	/** The domain that has it; undefined: it is free. */
	domid?: number;
}

const INFO = "/libxl/pci";
/** A device's node as xl has it, so that both know of each other's devices. */
const infoPath = (address: string, key: "domid" | "driver_path" | "name"): string =>
	`${INFO}/${address.replace(/[:.]/g, "-")}/${key}`;
const DRIVER_PATH = /^\/sys\/bus\/pci\/drivers\/(?<driver>[A-Za-z0-9_-]{1,64})$/;

/** Without an IOMMU a device could read and write all of the host's memory, whoever has it. @throws DeviceRefusedError */
export async function requireIommu({ hypervisor: { domains } }: PciHost): Promise<void> {
	if ((await domains.hostInfo()).iommu) return;
	throw new DeviceRefusedError("device-refused", "The host has no IOMMU, or Xen does not use it", {
		remedy: "Switch VT-d or AMD-Vi on in the firmware; `xl dmesg` tells what Xen found",
	});
}

/** What pciback has, free or not. @throws DeviceRefusedError */
export async function listAssignable({ hypervisor: { sysfs }, xenstore }: PciHost): Promise<AssignableDevice[]> {
	return Promise.all(
		(await pcibackDevices(sysfs)).map(async (address): Promise<AssignableDevice> => {
			const [name, domid] = await Promise.all([
				xenstore.find(infoPath(address, "name")),
				xenstore.find(infoPath(address, "domid")),
			]);
			return { address, ...(name && { name }), ...(domid !== undefined && { domid: Number(domid) }) };
		}),
	);
}

/**
 * Takes a device from domain 0, so that a guest can have it (libxl: libxl__device_pci_assignable_add). Until then it can
 * reach no memory. Safe to repeat. @throws DeviceRefusedError, HypervisorError
 */
export async function makeAssignable(host: PciHost, address: string, name?: string): Promise<void> {
	const { hypervisor, xenstore } = host;
	await requireIommu(host);
	await pcibackDevices(hypervisor.sysfs);
	if (!(await pciDevices(hypervisor.sysfs)).includes(address)) throw noSuch(address);
	const driver = await bindToPciback(hypervisor.sysfs, address);
	if (driver !== undefined) await xenstore.write(infoPath(address, "driver_path"), `/sys/bus/pci/drivers/${driver}`);
	if (name === undefined) await xenstore.remove(infoPath(address, "name"));
	else await xenstore.write(infoPath(address, "name"), name);
	await hypervisor.pci.quarantine(pciNumber(address));
}

/** Gives a device back to domain 0, with `rebind` to the driver that had it. @throws DeviceRefusedError, HypervisorError */
export async function makeUnassignable(host: PciHost, place: string, { rebind }: { rebind: boolean }): Promise<string> {
	const { hypervisor, xenstore } = host;
	await requireIommu(host);
	const { address, domid } = await findAssignable(host, place);
	if (domid !== undefined)
		throw new DeviceRefusedError("device-refused", `PCI device ${address} is domain ${domid}'s`, {
			remedy: "Detach it first: bulkhead pci-detach",
		});
	await hypervisor.pci.release(pciNumber(address));
	const driver = DRIVER_PATH.exec((await xenstore.find(infoPath(address, "driver_path"))) ?? "")?.groups?.driver;
	await unbindFromPciback(hypervisor.sysfs, address, rebind ? driver : undefined);
	await xenstore.remove(`${INFO}/${address.replace(/[:.]/g, "-")}`);
	return address;
}

/** By its address or its name. @throws DeviceRefusedError */
export async function findAssignable(host: PciHost, place: string): Promise<AssignableDevice> {
	const found = (await listAssignable(host)).find(({ address, name }) => address === place || name === place);
	if (!found)
		throw new DeviceRefusedError("no-such-device", `PCI device ${JSON.stringify(place)} is not assignable`, {
			remedy: "See `bulkhead pci-assignable-list`; make it so by `bulkhead pci-assignable-add`",
			fields: { place },
		});
	return found;
}

/** Writes down whose it is. */
export const claim = ({ xenstore }: PciHost, address: string, domid: number): Promise<void> =>
	xenstore.write(infoPath(address, "domid"), domid);

export const unclaim = ({ xenstore }: PciHost, address: string): Promise<void> =>
	xenstore.remove(infoPath(address, "domid"));

const noSuch = (address: string): DeviceRefusedError =>
	new DeviceRefusedError("no-such-device", `The host has no PCI device ${address}`, { remedy: "See `lspci -D`" });
