import { InvalidInputError, type Uuid } from "@bulkhead/base";
import type { Hypervisor } from "@bulkhead/hypervisor";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { GuestConfig } from "@bulkhead/xlcfg";
import { checkChannels } from "./channels/check-channels.ts";
import { checkBios, checkDeviceModel, checkPvQemu } from "./check-device-model.ts";
import { checkDisk } from "./check-disk.ts";
import { checkFirmware, checkKernel, checkRamdisk } from "./check-files.ts";
import { checkNics, type NetworkDefaults } from "./check-nics.ts";
import { checkSupported } from "./check-supported.ts";
import { needsPvQemu } from "./device-model/pv-screen.ts";
import type { ServableDisk } from "./devices/vbd.ts";
import { cpuMasksFor, type GuestCpus } from "./domain/guest-cpus.ts";
import { affinities } from "./domain/place-domain.ts";
import { smbiosNodes } from "./domain/smbios-strings.ts";
import { FileUnusableError, NotEnoughMemoryError } from "./errors.ts";
import type { HostFacts } from "./host-facts.ts";
import { checkPciGuest, functionsOf } from "./pci/check-pci.ts";
import { placementSettings, prepareSettings } from "./plan/domain-settings.ts";
import { checkScreen } from "./screen/check-screen.ts";
import type { ScreenPolicy } from "./screen/screen-policy.ts";
import { checkController, checkUsbDevice } from "./usb/check-usb.ts";
import { usbTopology } from "./usb/usb-topology.ts";

/** Where an installation keeps what a guest's config may leave out. */
export interface InstalledImages {
	firmware: string;
	bios: string;
	/** OVMF.fd of Debian's ovmf. */
	ovmf: string;
	/** QEMU for guests whose device model is in domain 0. */
	qemu: string;
	/** MiniOS with the older QEMU; no distribution has one any more. */
	miniosKernel: string;
	/** GRUB as the kernel of a PV guest and of a PVH guest (Debian: grub-xen-host). */
	pvGrub: { pv: string; pvh: string };
	stubKernel: string;
	stubRamdisk: string;
	stubCommandLine: string;
	stubMemoryKiB: number;
	network: NetworkDefaults;
	guestCpus: GuestCpus;
}

/** libxl's LIBXL_HVM_EXTRA_MEMORY and LIBXL_PV_EXTRA_MEMORY. */
const HVM_OVERHEAD_KIB = 2048;
const PV_OVERHEAD_KIB = 1024;

export interface CheckedHost {
	hypervisor: Pick<Hypervisor, "cpus" | "domains" | "images" | "links" | "scripts" | "pci" | "sysfs">;
	xenstore: XenstoreClient;
	installed: InstalledImages;
	stubUuid: Uuid;
	screenPolicy: ScreenPolicy;
}

/**
 * Checks everything that a guest's config names, and the host's memory, before anything is created.
 * @throws InvalidInputError (unsupported-feature), FileUnusableError, NicUnusableError, NotEnoughMemoryError
 */
export async function checkHost(config: GuestConfig, host: CheckedHost): Promise<HostFacts> {
	const { hypervisor, xenstore, installed, stubUuid } = host;
	const { scriptDirectory } = installed.network;
	checkSupported(config);
	for (const controller of config.usbControllers) checkController(config, controller);
	for (const device of config.usbDevices) checkUsbDevice(config, device);
	usbTopology(config);
	if (config.pci.length > 0) checkPciGuest(config);
	for (const device of config.pci) await functionsOf(host, device);
	const disks: ServableDisk[] = [];
	for (const disk of config.disks) disks.push(await checkDisk(disk, { hypervisor, xenstore, scriptDirectory }));
	await checkChannels(config.channels);
	await checkScreen(config, host.screenPolicy);
	const nics = await checkNics(config, { hypervisor, xenstore }, installed.network);
	const firmware = {
		firmware: config.firmwareOverride ?? installed.firmware,
		bios: config.biosPathOverride ?? (config.bios === "ovmf" ? installed.ovmf : installed.bios),
	};
	const bootProgram = config.bootFirmware && (await findBootProgram(config, installed));
	if (config.type !== "hvm") await checkPvImage(config, bootProgram);
	else {
		await checkFirmware("firmware", firmware.firmware);
		await checkBios(config, firmware.bios);
		if (config.acpiFirmware) await checkFirmware("ACPI firmware", config.acpiFirmware);
		if (config.smbiosFirmware) await checkFirmware("SMBIOS firmware", config.smbiosFirmware);
		smbiosNodes(config.smbios);
	}
	const placement = placementSettings(config, cpuMasksFor(config.type, installed.guestCpus));
	if (placement) affinities(placement, await hypervisor.cpus.topology());
	const { stub, qemu } = await checkWhatServes(config, installed);
	await checkHostMemory(config, stub?.memoryKiB, hypervisor.domains);
	return {
		firmware,
		stub,
		stubUuid,
		disks,
		nics,
		...(placement && { placement }),
		...(qemu === undefined ? {} : { qemu }),
		...(bootProgram === undefined ? {} : { bootProgram }),
	};
}

async function checkWhatServes(
	config: GuestConfig,
	installed: InstalledImages,
): Promise<Pick<HostFacts, "qemu"> & Partial<Pick<HostFacts, "stub">>> {
	if (config.type === "hvm") return checkDeviceModel(config, installed);
	return needsPvQemu(config) ? { qemu: await checkPvQemu(config, installed) } : {};
}

/** GRUB, which finds the kernel on the guest's disk, inside the guest. @throws FileUnusableError, InvalidInputError */
async function findBootProgram({ type, bootFirmware }: GuestConfig, { pvGrub }: InstalledImages): Promise<string> {
	if (type === "pv" && bootFirmware === "pvgrub32")
		throw new InvalidInputError("PV guests have 64 bits here, and pvgrub32 boots kernels of 32", {
			remedy: 'Write firmware = "pvgrub64"',
		});
	const path = type === "pv" ? pvGrub.pv : pvGrub.pvh;
	try {
		await checkKernel("boot program", path);
	} catch (error) {
		if (!(error instanceof FileUnusableError)) throw error;
		throw new FileUnusableError("boot program", path, "cannot be used", {
			cause: error,
			remedy: "Install the package grub-xen-host, or copy the guest's kernel to the host and name it in kernel",
		});
	}
	return path;
}

async function checkPvImage({ kernel, ramdisk }: GuestConfig, bootProgram: string | undefined): Promise<void> {
	if (bootProgram === undefined) await checkKernel("kernel", kernel ?? "");
	if (ramdisk !== undefined) await checkRamdisk("ramdisk", ramdisk);
}

async function checkHostMemory(
	config: GuestConfig,
	stubKiB: number | undefined,
	domains: Hypervisor["domains"],
): Promise<void> {
	const { freeKiB } = await domains.hostInfo();
	const paging = prepareSettings(config).pagingBytes / 1024;
	const guestKiB = config.memoryKiB + paging + (config.type === "pv" ? PV_OVERHEAD_KIB : HVM_OVERHEAD_KIB);
	const neededKiB = guestKiB + (stubKiB === undefined ? 0 : stubKiB + config.videoMemoryKiB + PV_OVERHEAD_KIB);
	if (neededKiB > freeKiB)
		throw new NotEnoughMemoryError(
			`The host has ${toMiB(freeKiB)} MiB free and the guest needs ${toMiB(neededKiB)} MiB`,
			{
				remedy: "Lower memory or stubdomain_memory, or stop another guest",
				fields: { freeKiB, neededKiB, guestKiB, stubKiB },
			},
		);
}

const toMiB = (kiB: number): number => Math.round(kiB / 1024);
