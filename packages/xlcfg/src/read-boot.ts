import { basename } from "node:path";
import type { ConfigReader } from "./config-reader.ts";
import type { GuestConfig } from "./guest-config.ts";
import { XLCFG_LIMITS } from "./limits.ts";
import { readPath } from "./read-path.ts";

type Boot = Pick<
	GuestConfig,
	"kernel" | "ramdisk" | "commandLine" | "bios" | "biosPathOverride" | "firmwareOverride" | "boot"
>;

/** libxl's default: disk, then CD, then floppy. */
const DEFAULT_BOOT = "cda";

/** What a guest starts from: its kernel (PV), or firmware and boot order (HVM). */
export function readBoot(reader: ConfigReader, type: GuestConfig["type"], baseDir: string): Boot {
	const kernel = readPath(reader, "kernel", baseDir);
	const ramdisk = readPath(reader, "ramdisk", baseDir);
	const commandLine = readKernelCommandLine(reader);
	const bios = reader.word("bios", ["seabios"], ["ovmf", "rombios"]) ?? "seabios";
	const biosPathOverride = readPath(reader, "bios_path_override", baseDir);
	const firmwareOverride = readPath(reader, "firmware_override", baseDir);
	const boot = readBootOrder(reader);
	if (type === "pv") {
		if (kernel === undefined && !reader.has("kernel"))
			reader.refuse("kernel", "A PV guest needs a kernel", {
				remedy: 'Add kernel = "PATH", or type = "hvm" for a guest that boots from its disk',
			});
		return {
			...(kernel === undefined ? {} : { kernel }),
			...(ramdisk === undefined ? {} : { ramdisk }),
			commandLine,
			bios: "seabios",
			boot: DEFAULT_BOOT,
		};
	}
	refuseDirectBoot(reader, kernel);
	return {
		commandLine: "",
		bios,
		...(biosPathOverride === undefined ? {} : { biosPathOverride }),
		...(firmwareOverride === undefined ? {} : { firmwareOverride }),
		boot,
	};
}

function refuseDirectBoot(reader: ConfigReader, kernel: string | undefined): void {
	// Old files name the firmware as the kernel of an HVM guest; xl ignores it too.
	const oldStyle = kernel !== undefined && basename(kernel) === "hvmloader";
	if (oldStyle) reader.warn("kernel", "Key kernel is ignored: hvmloader is no guest's kernel");
	for (const key of ["kernel", "ramdisk", "cmdline", "root", "extra"]) {
		if (!reader.has(key) || (key === "kernel" && oldStyle)) continue;
		reader.refuse(key, `Booting an HVM guest from a kernel (${key}) is not supported yet`, {
			remedy: 'Boot from a disk or CD, or use type = "pv"',
		});
	}
}

/** `cmdline`, or else `root` and `extra` joined as xl joins them. */
export function readKernelCommandLine(reader: ConfigReader): string {
	const whole = readCommandLine(reader, "cmdline");
	const root = readCommandLine(reader, "root");
	const extra = readCommandLine(reader, "extra");
	if (whole !== undefined) {
		for (const [key, value] of Object.entries({ root, extra }))
			if (value !== undefined) reader.warn(key, `Key ${key} is ignored since cmdline is given`);
		return whole;
	}
	const joined = [...(root === undefined ? [] : [`root=${root}`]), ...(extra === undefined ? [] : [extra])].join(" ");
	if (joined.length > XLCFG_LIMITS.commandLineBytes)
		reader.refuse("extra", `The command line is longer than ${XLCFG_LIMITS.commandLineBytes} bytes`);
	return joined;
}

/** A kernel's command line: one line of bounded length. */
export function readCommandLine(reader: ConfigReader, key: string): string | undefined {
	const text = reader.string(key);
	if (text === undefined) return undefined;
	if (/\p{Cc}/u.test(text)) reader.refuse(key, `Key ${key} has a control character`);
	if (Buffer.byteLength(text) > XLCFG_LIMITS.commandLineBytes)
		reader.refuse(key, `Key ${key} is longer than ${XLCFG_LIMITS.commandLineBytes} bytes`);
	return text;
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
