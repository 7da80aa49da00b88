import { stat } from "node:fs/promises";
import { domId, type Uuid } from "@bulkhead/base";
import type { Domains } from "@bulkhead/hypervisor";
import type { GuestConfig } from "@bulkhead/xlcfg";
import { checkBootKernel, checkDisk, checkFirmware, checkKernel, checkProgram, checkRamdisk } from "./check-files.ts";
import { bootFilesOf, checkBootDisks } from "./device-model/direct-boot.ts";
import { dmargs, miniosQemuArgs } from "./device-model/minios-args.ts";
import { qemuArgs } from "./device-model/qemu-args.ts";
import { pagingMempoolBytes } from "./domain/prepare.ts";
import { FileUnusableError, NotEnoughMemoryError } from "./errors.ts";
import type { HostFacts } from "./host-facts.ts";

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
}

/** libxl's LIBXL_HVM_EXTRA_MEMORY and LIBXL_PV_EXTRA_MEMORY. */
const HVM_OVERHEAD_KIB = 2048;
const PV_OVERHEAD_KIB = 1024;
/** What the stub's kernel and QEMU need beside the unpacked initramfs. */
const STUB_WORKING_KIB = 64 * 1024;
/** libxl__domain_build_info_setdefault. */
const MINIOS_MEMORY_KIB = 28 * 1024;

/**
 * Checks everything that a guest's config names, and the host's memory, before anything is created.
 * @throws FileUnusableError, NotEnoughMemoryError
 */
export async function checkHost(
	config: GuestConfig,
	host: { domains: Domains; installed: InstalledImages; stubUuid: Uuid },
): Promise<HostFacts> {
	const { domains, installed, stubUuid } = host;
	for (const disk of config.disks) await checkDisk(disk);
	const firmware = {
		firmware: config.firmwareOverride ?? installed.firmware,
		bios: config.biosPathOverride ?? (config.bios === "ovmf" ? installed.ovmf : installed.bios),
	};
	if (config.type === "pv") await checkPvImage(config);
	else {
		await checkFirmware("firmware", firmware.firmware);
		await checkBios(config, firmware.bios);
	}
	const { stub, qemu } = config.type === "hvm" ? await checkDeviceModel(config, installed) : {};
	await checkHostMemory(config, stub?.memoryKiB, domains);
	return { firmware, stub, stubUuid, ...(qemu === undefined ? {} : { qemu }) };
}

async function checkPvImage({ kernel, ramdisk }: GuestConfig): Promise<void> {
	await checkKernel("kernel", kernel ?? "");
	if (ramdisk !== undefined) await checkRamdisk("ramdisk", ramdisk);
}

async function checkBios({ bios }: GuestConfig, path: string): Promise<void> {
	try {
		await checkFirmware("BIOS", path);
	} catch (error) {
		if (bios !== "ovmf" || !(error instanceof FileUnusableError)) throw error;
		throw new FileUnusableError("UEFI firmware", path, "cannot be used", {
			cause: error,
			remedy: 'Install the package ovmf, or name the file in bios_path_override, or use bios = "seabios"',
		});
	}
}

/** Where QEMU will run, with all that it is to be given. Its arguments are made once, for what is wrong with them. */
async function checkDeviceModel(
	config: GuestConfig,
	installed: InstalledImages,
): Promise<Pick<HostFacts, "stub" | "qemu">> {
	const place = config.deviceModel?.place ?? "stub-domain";
	if (config.kernel !== undefined && place !== "minios") await checkBootKernel(config.kernel);
	if (config.ramdisk !== undefined && place !== "minios") await checkRamdisk("ramdisk", config.ramdisk);
	const guest = domId(0);
	if (place === "minios") {
		dmargs(miniosQemuArgs(config, guest));
		return { stub: await checkMiniosStub(config, installed) };
	}
	if (place === "dom0") {
		qemuArgs(config, { kind: "dom0", guest, qmpSocket: "/", statisticsSocket: "/" });
		const qemu = config.deviceModel?.binary ?? installed.qemu;
		await checkProgram("device model", qemu, "Install qemu-system-xen, or correct device_model_override");
		return { stub: undefined, qemu };
	}
	checkBootDisks(config);
	qemuArgs(config, { kind: "stub-domain", guest });
	return { stub: await checkStub(config, installed) };
}

/** libxl's default: 28 MiB, no ramdisk, no command line. */
async function checkMiniosStub(
	config: GuestConfig,
	installed: InstalledImages,
): Promise<NonNullable<HostFacts["stub"]>> {
	const kernel = config.stub?.kernel ?? installed.miniosKernel;
	await checkKernel("MiniOS stub domain's kernel", kernel);
	const memoryKiB = config.stub?.memoryKiB ?? MINIOS_MEMORY_KIB;
	return { kernel, ramdisk: config.stub?.ramdisk, memoryKiB, commandLine: config.stub?.commandLine ?? "" };
}

/** A direct kernel boot takes memory in the stub domain: QEMU reads the kernel, and the ramdisk is kept whole. */
async function bootFilesKiB(config: GuestConfig): Promise<number> {
	const sizes = await Promise.all(bootFilesOf(config).map(async ({ source }) => (await stat(source)).size));
	return sizes.reduce((sum, size) => sum + Math.ceil(size / 1024), 0);
}

async function checkStub(config: GuestConfig, installed: InstalledImages): Promise<NonNullable<HostFacts["stub"]>> {
	const bootKiB = await bootFilesKiB(config);
	const kernel = config.stub?.kernel ?? installed.stubKernel;
	const ramdisk = config.stub?.ramdisk ?? installed.stubRamdisk;
	const memoryKiB = config.stub?.memoryKiB ?? Math.ceil((installed.stubMemoryKiB + bootKiB) / 1024) * 1024;
	const commandLine = config.stub?.commandLine ?? installed.stubCommandLine;
	await checkKernel("stub domain's kernel", kernel);
	const { sizeKiB, compressed } = await checkRamdisk("stub domain's ramdisk", ramdisk);
	// The kernel unpacks an initramfs into a tmpfs of half of the memory at most, while it still holds the archive.
	const leastKiB = (compressed ? sizeKiB : 2 * sizeKiB) + STUB_WORKING_KIB + bootKiB;
	if (memoryKiB < leastKiB)
		throw new NotEnoughMemoryError(`The stub domain cannot run in ${toMiB(memoryKiB)} MiB`, {
			remedy: `Give stubdomain_memory = ${Math.ceil(leastKiB / 1024)} or more`,
			fields: { memoryKiB, leastKiB },
		});
	return { kernel, ramdisk, memoryKiB, commandLine };
}

async function checkHostMemory(config: GuestConfig, stubKiB: number | undefined, domains: Domains): Promise<void> {
	const { freeKiB } = await domains.hostInfo();
	const paging = config.type === "hvm" ? pagingMempoolBytes(config.vcpus, config.memoryKiB) / 1024 : 0;
	const guestKiB = config.memoryKiB + paging + (config.type === "hvm" ? HVM_OVERHEAD_KIB : PV_OVERHEAD_KIB);
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
