import type { Uuid } from "@bulkhead/base";
import type { Domains } from "@bulkhead/hypervisor";
import type { GuestConfig } from "@bulkhead/xlcfg";
import { checkDisk, checkFirmware, checkKernel, checkRamdisk } from "./check-files.ts";
import { checkSupported } from "./check-supported.ts";
import { NotEnoughMemoryError } from "./errors.ts";
import type { HostFacts } from "./host-facts.ts";
import { prepareSettings } from "./plan/domain-settings.ts";

/** Where an installation keeps what a guest's config may leave out. */
export interface InstalledImages {
	firmware: string;
	bios: string;
	stubKernel: string;
	stubRamdisk: string;
	stubCommandLine: string;
	stubMemoryKiB: number;
}

/** libxl's LIBXL_HVM_EXTRA_MEMORY and LIBXL_PV_EXTRA_MEMORY. */
const HVM_OVERHEAD_KIB = 2048;
const PV_OVERHEAD_KIB = 1024;
/** What the stub's kernel and QEMU need beside the unpacked initramfs. */
const STUB_WORKING_KIB = 64 * 1024;

/**
 * Checks everything that a guest's config names, and the host's memory, before anything is created.
 * @throws InvalidInputError (unsupported-feature), FileUnusableError, NotEnoughMemoryError
 */
export async function checkHost(
	config: GuestConfig,
	host: { domains: Domains; installed: InstalledImages; stubUuid: Uuid },
): Promise<HostFacts> {
	const { domains, installed, stubUuid } = host;
	checkSupported(config);
	for (const disk of config.disks) await checkDisk(disk);
	const firmware = {
		firmware: config.firmwareOverride ?? installed.firmware,
		bios: config.biosPathOverride ?? installed.bios,
	};
	if (config.type !== "hvm") await checkPvImage(config);
	else {
		await checkFirmware("firmware", firmware.firmware);
		await checkFirmware("BIOS", firmware.bios);
		if (config.acpiFirmware) await checkFirmware("ACPI firmware", config.acpiFirmware);
		if (config.smbiosFirmware) await checkFirmware("SMBIOS firmware", config.smbiosFirmware);
	}
	const stub = config.type === "hvm" ? await checkStub(config, installed) : undefined;
	await checkHostMemory(config, stub?.memoryKiB, domains);
	return { firmware, stub, stubUuid };
}

async function checkPvImage({ kernel, ramdisk }: GuestConfig): Promise<void> {
	await checkKernel("kernel", kernel ?? "");
	if (ramdisk !== undefined) await checkRamdisk("ramdisk", ramdisk);
}

async function checkStub(config: GuestConfig, installed: InstalledImages): Promise<NonNullable<HostFacts["stub"]>> {
	const kernel = config.stub?.kernel ?? installed.stubKernel;
	const ramdisk = config.stub?.ramdisk ?? installed.stubRamdisk;
	const memoryKiB = config.stub?.memoryKiB ?? installed.stubMemoryKiB;
	const commandLine = config.stub?.commandLine ?? installed.stubCommandLine;
	await checkKernel("stub domain's kernel", kernel);
	const { sizeKiB, compressed } = await checkRamdisk("stub domain's ramdisk", ramdisk);
	// The kernel unpacks an initramfs into a tmpfs of half of the memory at most, while it still holds the archive.
	const leastKiB = compressed ? sizeKiB + STUB_WORKING_KIB : 2 * sizeKiB + STUB_WORKING_KIB;
	if (memoryKiB < leastKiB)
		throw new NotEnoughMemoryError(`The stub domain cannot run in ${toMiB(memoryKiB)} MiB`, {
			remedy: `Give stubdomain_memory = ${Math.ceil(leastKiB / 1024)} or more`,
			fields: { memoryKiB, leastKiB },
		});
	return { kernel, ramdisk, memoryKiB, commandLine };
}

async function checkHostMemory(config: GuestConfig, stubKiB: number | undefined, domains: Domains): Promise<void> {
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
