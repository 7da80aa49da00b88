import { stat } from "node:fs/promises";
import { domId } from "@bulkhead/base";
import type { GuestConfig } from "@bulkhead/xlcfg";
import { checkBootKernel, checkFirmware, checkKernel, checkProgram, checkRamdisk } from "./check-files.ts";
import type { InstalledImages } from "./check-host.ts";
import { bootFilesOf, checkBootDisks } from "./device-model/direct-boot.ts";
import { readAccounts } from "./device-model/dom0/accounts.ts";
import { qemuUserRequest } from "./device-model/dom0/local-qemu.ts";
import { chooseQemuUser } from "./device-model/dom0/qemu-user.ts";
import { dmargs, miniosQemuArgs } from "./device-model/minios-args.ts";
import { pvQemuArgs } from "./device-model/pv-qemu-args.ts";
import { qemuArgs } from "./device-model/qemu-args.ts";
import { FileUnusableError, NotEnoughMemoryError } from "./errors.ts";
import type { HostFacts } from "./host-facts.ts";

/** What the stub's kernel needs at its start beside the initramfs, and what kernel and QEMU need later. */
const STUB_START_KIB = 24 * 1024;
const STUB_WORKING_KIB = 64 * 1024;
/** libxl__domain_build_info_setdefault. */
const MINIOS_MEMORY_KIB = 28 * 1024;

/** @throws FileUnusableError, naming the package of a missing OVMF */
export async function checkBios({ bios }: GuestConfig, path: string): Promise<void> {
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
export async function checkDeviceModel(
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
		return { stub: undefined, qemu: await checkLocalQemu(config, installed) };
	}
	checkBootDisks(config);
	qemuArgs(config, { kind: "stub-domain", guest });
	return { stub: await checkStub(config, installed) };
}

/** A QEMU that serves a PV guest's screen. */
export async function checkPvQemu(config: GuestConfig, installed: InstalledImages): Promise<string> {
	pvQemuArgs(config, { kind: "dom0", guest: domId(0), qmpSocket: "/", statisticsSocket: "/" });
	return checkLocalQemu(config, installed);
}

/** Its program and its user. The domid is not known yet: any will do to see whether there is a user at all. */
async function checkLocalQemu(config: GuestConfig, installed: InstalledImages): Promise<string> {
	chooseQemuUser(qemuUserRequest(config), domId(1), await readAccounts());
	const qemu = config.deviceModel?.binary ?? installed.qemu;
	await checkProgram("device model", qemu, "Install qemu-system-xen, or correct device_model_override");
	return qemu;
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
	// The kernel still holds the archive while it unpacks it, into a tmpfs of half of the memory at most, and then frees it.
	const unpackedKiB = compressed ? 0 : sizeKiB;
	const leastKiB = Math.max(sizeKiB + unpackedKiB + STUB_START_KIB, sizeKiB + STUB_WORKING_KIB + bootKiB);
	if (memoryKiB < leastKiB)
		throw new NotEnoughMemoryError(`The stub domain cannot run in ${Math.round(memoryKiB / 1024)} MiB`, {
			remedy: `Give stubdomain_memory = ${Math.ceil(leastKiB / 1024)} or more`,
			fields: { memoryKiB, leastKiB },
		});
	return { kernel, ramdisk, memoryKiB, commandLine };
}
