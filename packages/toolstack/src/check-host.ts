import type { Uuid } from "@bulkhead/base";
import type { Hypervisor } from "@bulkhead/hypervisor";
import type { GuestConfig } from "@bulkhead/xlcfg";
import { checkChannels } from "./channels/check-channels.ts";
import { checkBios, checkDeviceModel } from "./check-device-model.ts";
import { checkDisk, checkFirmware, checkKernel, checkRamdisk } from "./check-files.ts";
import { checkNics, type NetworkDefaults } from "./check-nics.ts";
import { checkSupported } from "./check-supported.ts";
import { NotEnoughMemoryError } from "./errors.ts";
import type { HostFacts } from "./host-facts.ts";
import { prepareSettings } from "./plan/domain-settings.ts";

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
	stubKernel: string;
	stubRamdisk: string;
	stubCommandLine: string;
	stubMemoryKiB: number;
	network: NetworkDefaults;
}

/** libxl's LIBXL_HVM_EXTRA_MEMORY and LIBXL_PV_EXTRA_MEMORY. */
const HVM_OVERHEAD_KIB = 2048;
const PV_OVERHEAD_KIB = 1024;

/**
 * Checks everything that a guest's config names, and the host's memory, before anything is created.
 * @throws InvalidInputError (unsupported-feature), FileUnusableError, NicUnusableError, NotEnoughMemoryError
 */
export async function checkHost(
	config: GuestConfig,
	host: { hypervisor: Pick<Hypervisor, "domains" | "links" | "scripts">; installed: InstalledImages; stubUuid: Uuid },
): Promise<HostFacts> {
	const { hypervisor, installed, stubUuid } = host;
	checkSupported(config);
	for (const disk of config.disks) await checkDisk(disk);
	await checkChannels(config.channels);
	const nics = await checkNics(config, hypervisor, installed.network);
	const firmware = {
		firmware: config.firmwareOverride ?? installed.firmware,
		bios: config.biosPathOverride ?? (config.bios === "ovmf" ? installed.ovmf : installed.bios),
	};
	if (config.type !== "hvm") await checkPvImage(config);
	else {
		await checkFirmware("firmware", firmware.firmware);
		await checkBios(config, firmware.bios);
		if (config.acpiFirmware) await checkFirmware("ACPI firmware", config.acpiFirmware);
		if (config.smbiosFirmware) await checkFirmware("SMBIOS firmware", config.smbiosFirmware);
	}
	const { stub, qemu } = config.type === "hvm" ? await checkDeviceModel(config, installed) : {};
	await checkHostMemory(config, stub?.memoryKiB, hypervisor.domains);
	return { firmware, stub, stubUuid, nics, ...(qemu === undefined ? {} : { qemu }) };
}

async function checkPvImage({ kernel, ramdisk }: GuestConfig): Promise<void> {
	await checkKernel("kernel", kernel ?? "");
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
