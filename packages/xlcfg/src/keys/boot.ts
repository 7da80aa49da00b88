import { basename } from "node:path";
import { defined } from "../defined.ts";
import type { GuestConfig, GuestType } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { readBootloader } from "./bootloader.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readCommandLine, readPath } from "./read-path.ts";

type Boot = Pick<GuestConfig, "kernel" | "ramdisk" | "commandLine" | "bootloader" | "bootFirmware" | "pvShim" | "boot">;

/** libxl's default: disk, then CD, then floppy. */
export const DEFAULT_BOOT = "cda";
/** libxl's command line of the shim (libxl_create.c). */
const SHIM_COMMAND_LINE = "pv-shim console=xen,pv";

/** What a guest starts from: its kernel, a bootloader, or a boot order of disks (xl-cfg.md §3). */
export function readBoot(reader: ConfigReader, type: GuestType, baseDir: string): Boot {
	const bootloader = readBootloader(reader);
	const kernel = readKernel(reader, type, { baseDir, bootloader: bootloader !== undefined });
	const ramdisk = readPath(reader, "ramdisk", baseDir);
	const commandLine = readKernelCommandLine(reader);
	const bootFirmware = type === "hvm" ? undefined : reader.word("firmware", ["pvgrub32", "pvgrub64"]);
	const boot = defined<Boot>({
		kernel,
		ramdisk,
		commandLine,
		bootloader,
		bootFirmware,
		pvShim: readShim(reader, baseDir),
		boot: readBootOrder(reader),
	});
	if (type === "hvm") checkDirectBoot(reader, kernel);
	else checkStart(reader, boot, type);
	return boot;
}

function readKernel(
	reader: ConfigReader,
	type: GuestType,
	{ baseDir, bootloader }: { baseDir: string; bootloader: boolean },
): string | undefined {
	const kernel = readPath(reader, "kernel", baseDir);
	if (kernel !== undefined && bootloader) {
		reader.warn("kernel", "Key kernel is ignored since bootloader is given", undefined, "Remove one of them");
		return undefined;
	}
	if (type !== "hvm" || kernel === undefined || basename(kernel) !== "hvmloader") return kernel;
	// Old files name the firmware as the kernel of an HVM guest; xl ignores it too.
	reader.warn("kernel", "Key kernel is ignored: hvmloader is no guest's kernel", undefined, "Remove the line");
	return undefined;
}

function checkDirectBoot(reader: ConfigReader, kernel: string | undefined): void {
	if (kernel !== undefined) return;
	for (const key of ["ramdisk", "cmdline", "root", "extra"]) {
		if (!reader.has(key)) continue;
		reader.refuse(key, `Key ${key} of an HVM guest needs a kernel`, {
			remedy: 'Add kernel = "PATH", or remove the line: a guest that boots from its disk has its own',
		});
	}
}

function checkStart(reader: ConfigReader, { kernel, bootloader, bootFirmware }: Boot, type: GuestType): void {
	const what = type.toUpperCase();
	const wrong = reader.has("kernel") && kernel === undefined;
	if (kernel === undefined && !bootloader && !bootFirmware && !wrong && !reader.has("bootloader"))
		reader.refuse("kernel", `A ${what} guest needs a kernel`, {
			remedy:
				'Add kernel = "PATH", or firmware = "pvgrub64" for GRUB, or type = "hvm" for a guest that boots from its disk',
		});
	if (kernel !== undefined && bootFirmware)
		reader.refuse("firmware", "Keys kernel and firmware contradict each other", { remedy: "Remove one of them" });
}

/** `cmdline`, or else `root` and `extra` joined as xl joins them. */
function readKernelCommandLine(reader: ConfigReader): string {
	const whole = readCommandLine(reader, "cmdline");
	const root = readCommandLine(reader, "root");
	const extra = readCommandLine(reader, "extra");
	if (whole !== undefined) {
		for (const [key, value] of Object.entries({ root, extra }))
			if (value !== undefined) reader.warn(key, `Key ${key} is ignored since cmdline is given`);
		return whole;
	}
	const joined = [...(root === undefined ? [] : [`root=${root}`]), ...(extra === undefined ? [] : [extra])].join(" ");
	if (Buffer.byteLength(joined) > XLCFG_LIMITS.commandLineBytes)
		reader.refuse("extra", `The command line is longer than ${XLCFG_LIMITS.commandLineBytes} bytes`);
	return joined;
}

function readShim(reader: ConfigReader, baseDir: string): GuestConfig["pvShim"] {
	const path = readPath(reader, "pvshim_path", baseDir);
	const base = readCommandLine(reader, "pvshim_cmdline") ?? SHIM_COMMAND_LINE;
	const extra = readCommandLine(reader, "pvshim_extra");
	if (reader.boolean("pvshim") ?? false)
		return defined({ path, commandLine: extra === undefined ? base : `${base} ${extra}` });
	for (const key of ["pvshim_path", "pvshim_cmdline", "pvshim_extra"])
		if (reader.has(key)) reader.warn(key, `Key ${key} has no effect without pvshim = 1`);
	return undefined;
}

function readBootOrder(reader: ConfigReader): string {
	const order = reader.string("boot");
	if (order === undefined) return DEFAULT_BOOT;
	if (/^[acdn]{1,4}$/.test(order) && new Set(order).size === order.length) return order;
	reader.refuse("boot", "Key boot takes the letters a, c, d and n, each at most once", {
		remedy: "c is the disk, d the CD, n the network, a the floppy",
	});
	return DEFAULT_BOOT;
}
