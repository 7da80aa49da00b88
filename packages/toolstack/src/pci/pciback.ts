import type { Sysfs } from "@bulkhead/hypervisor";
import { DeviceRefusedError } from "../errors.ts";

/** Linux' names (Documentation/ABI/testing/sysfs-driver-pciback, xen-pciback/pci_stub.c). */
const DEVICES = "bus/pci/devices";
const DRIVERS = "bus/pci/drivers";
const DRIVER = "pciback";
const ADDRESS = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;
/** A PCI function has six of its own, a ROM, and a few of bridges and virtual functions. */
const MOST_RESOURCES = 32;
/** linux/ioport.h: IORESOURCE_IO. */
const IS_PORT = 0x100;
const PAGE = 4096;

/** Ports of the host, or frames of its memory. */
export interface PciResource {
	kind: "ports" | "memory";
	first: number;
	count: number;
}

/** All PCI functions of the host. */
export async function pciDevices(sysfs: Sysfs): Promise<string[]> {
	return ((await sysfs.list(DEVICES)) ?? []).filter((name) => ADDRESS.test(name)).toSorted();
}

/** Those that pciback has. @throws DeviceRefusedError when it is not there */
export async function pcibackDevices(sysfs: Sysfs): Promise<string[]> {
	const names = await sysfs.list(`${DRIVERS}/${DRIVER}`);
	if (!names)
		throw new DeviceRefusedError("device-refused", "Domain 0 has no driver by which PCI devices are given away", {
			remedy: "Load it: modprobe xen-pciback",
		});
	return names.filter((name) => ADDRESS.test(name)).toSorted();
}

/** The driver that has a device; undefined: none. */
export const driverOf = (sysfs: Sysfs, address: string): Promise<string | undefined> =>
	sysfs.linkedName(`${DEVICES}/${address}/driver`);

/** Takes a device from whichever driver has it and gives it to pciback. Answers the driver that had it. */
export async function bindToPciback(sysfs: Sysfs, address: string): Promise<string | undefined> {
	const driver = await driverOf(sysfs, address);
	if (driver === DRIVER) return undefined;
	if (driver !== undefined) await sysfs.write(`${DRIVERS}/${driver}/unbind`, address);
	// Naming a slot a second time makes a second entry of it.
	if (!(await hasSlot(sysfs, address))) await sysfs.write(`${DRIVERS}/${DRIVER}/new_slot`, address);
	await sysfs.write(`${DRIVERS}/${DRIVER}/bind`, address);
	return driver;
}

/** Takes a device from pciback, and gives it to a driver. */
export async function unbindFromPciback(sysfs: Sysfs, address: string, driver: string | undefined): Promise<void> {
	if ((await driverOf(sysfs, address)) === DRIVER) await sysfs.write(`${DRIVERS}/${DRIVER}/unbind`, address);
	if (await hasSlot(sysfs, address)) await sysfs.write(`${DRIVERS}/${DRIVER}/remove_slot`, address);
	if (driver !== undefined) await sysfs.write(`${DRIVERS}/${driver}/bind`, address);
}

async function hasSlot(sysfs: Sysfs, address: string): Promise<boolean> {
	const slots = (await sysfs.read(`${DRIVERS}/${DRIVER}/slots`)) ?? "";
	return slots.split("\n").some((line) => line.trim() === address);
}

/** Lets the guest write all of the device's configuration space. */
export const makePermissive = (sysfs: Sysfs, address: string): Promise<void> =>
	sysfs.write(`${DRIVERS}/${DRIVER}/permissive`, address);

/**
 * Brings a device back to how it was at power-on. Newer pcibacks have a file for it, the kernel has another for devices
 * that can; where neither is, pciback has reset the device itself when it let go of it.
 */
export async function resetDevice(sysfs: Sysfs, address: string): Promise<void> {
	const files = (await sysfs.list(`${DRIVERS}/${DRIVER}`)) ?? [];
	if (files.includes("do_flr")) return sysfs.write(`${DRIVERS}/${DRIVER}/do_flr`, address);
	if ((await sysfs.list(`${DEVICES}/${address}`))?.includes("reset"))
		await sysfs.write(`${DEVICES}/${address}/reset`, "1");
}

export async function resourcesOf(sysfs: Sysfs, address: string): Promise<PciResource[]> {
	const lines = ((await sysfs.read(`${DEVICES}/${address}/resource`)) ?? "").split("\n").slice(0, MOST_RESOURCES);
	return lines.flatMap((line): PciResource[] => {
		const [start = 0, end = 0, flags = 0] = line.trim().split(/\s+/).map(Number);
		if (!(start > 0 && end >= start)) return [];
		const size = end - start + 1;
		return flags & IS_PORT
			? [{ kind: "ports", first: start, count: size }]
			: [{ kind: "memory", first: Math.floor(start / PAGE), count: Math.ceil(size / PAGE) }];
	});
}

/** 0: none. */
export async function irqOf(sysfs: Sysfs, address: string): Promise<number> {
	const irq = Number((await sysfs.read(`${DEVICES}/${address}/irq`)) ?? "0");
	return Number.isInteger(irq) && irq > 0 && irq <= 0xffff ? irq : 0;
}
