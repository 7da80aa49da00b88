import type { GuestConfig } from "@bulkhead/xlcfg";

const MIB = 1024 * 1024;
const FOUR_GIB = 4 * 1024 * MIB;
/** libxl: HVM_BELOW_4G_MMIO_LENGTH and what is left of 4 GiB above the least memory. */
const HOLE_MIB = { least: 256, most: 3840 } as const;

export function bootArgs({ boot }: GuestConfig): string[] {
	return ["-boot", `order=${boot}`];
}

/** acpi = 0 and vcpus: the latter only when there may be more than one. */
export function processorArgs({ acpi, vcpus, maxVcpus }: GuestConfig): string[] {
	return [...(acpi ? [] : ["-no-acpi"]), ...(maxVcpus > 1 ? ["-smp", `${vcpus},maxcpus=${maxVcpus}`] : [])];
}

/** Without Xen's platform device it is QEMU's ordinary PC, told to use Xen. */
export function machineArgs({ xenPlatformPci, mmioHoleMiB, gfxPassthru }: GuestConfig): string[] {
	const hole = mmioHoleMiB !== undefined && mmioHoleMiB >= HOLE_MIB.least && mmioHoleMiB <= HOLE_MIB.most;
	const options = [
		...(xenPlatformPci ? ["xenfv"] : ["pc", "accel=xen"]),
		"suppress-vmdesc=on",
		...(hole ? [`max-ram-below-4g=${FOUR_GIB - mmioHoleMiB * MIB}`] : []),
		...(gfxPassthru === "igd" ? ["igd-passthru=on"] : []),
	];
	return ["-machine", options.join(",")];
}

/** What the guest may grow to, without the frame buffer, in MiB. */
export function memoryArgs({ maxMemoryKiB, videoMemoryKiB }: GuestConfig): string[] {
	return ["-m", `${Math.floor((maxMemoryKiB - videoMemoryKiB) / 1024)}`];
}

/** A device by which a vendor's PV drivers find themselves (xen-pvdevice). */
export function vendorArgs({ vendorDevice }: GuestConfig): string[] {
	return vendorDevice === "xenserver" ? ["-device", "xen-pvdevice,device-id=0xc000"] : [];
}
