import { printable } from "@bulkhead/base";
import type { ConfigReader } from "./config-reader.ts";
import { checkDiskFits, diskConfigOf } from "./disk-config.ts";
import { parseDiskSpec } from "./disk-spec.ts";
import type { DiskConfig, GuestConfig } from "./guest-config.ts";
import { XLCFG_LIMITS } from "./limits.ts";

type Devices = Pick<GuestConfig, "disks" | "serials" | "vga" | "videoMemoryKiB" | "nographic" | "hdType">;

/** Video memory without `videoram`, and the least that is allowed (libxl: libxl__domain_build_info_setdefault). */
const VIDEO_MEMORY_MIB = { none: 0, cirrus: 8, stdvga: 16, qxl: 128 } as const;

export function readDevices(reader: ConfigReader, type: GuestConfig["type"], baseDir: string): Devices {
	const hdType = reader.word("hdtype", ["ide", "ahci"]) ?? "ide";
	const disks = readDisks(reader, { type, hdType }, baseDir);
	const serials = readSerials(reader);
	const vga = readVga(reader);
	const videoMemoryKiB = readVideoMemory(reader, vga) * 1024;
	const nographic = reader.boolean("nographic") ?? false;
	refuseScreens(reader);
	refuseNetwork(reader);
	if (type === "pv") return { disks, serials: [], vga: "none", videoMemoryKiB: 0, nographic: false, hdType: "ide" };
	return { disks, serials, vga, videoMemoryKiB, nographic, hdType };
}

function readDisks(reader: ConfigReader, guest: Pick<GuestConfig, "type" | "hdType">, baseDir: string): DiskConfig[] {
	const specs = reader.strings("disk") ?? [];
	if (specs.length > XLCFG_LIMITS.disks) {
		reader.refuse("disk", `There are more than ${XLCFG_LIMITS.disks} disks`);
		return [];
	}
	const disks: DiskConfig[] = [];
	for (const spec of specs) {
		const disk = reader.attempt("disk", () => diskConfigOf(parseDiskSpec(spec.text), baseDir), spec);
		if (!disk) continue;
		const warning = reader.attempt("disk", () => checkDiskFits(disk, disks, guest), spec);
		if (warning !== undefined) reader.warn("disk", warning, spec);
		disks.push(disk);
	}
	return disks;
}

/** "pty" for each emulated port; "none" only where no port follows, since ports are numbered by their place. */
function readSerials(reader: ConfigReader): "pty"[] {
	const entries = reader.strings("serial", { single: true }) ?? [];
	const serials: "pty"[] = [];
	let ended = false;
	for (const entry of entries) {
		if (entry.text === "none") ended = true;
		else if (entry.text !== "pty")
			reader.refuse(
				"serial",
				`Serial port "${printable(entry.text, 64)}" is not supported yet`,
				{ remedy: 'Use "pty"' },
				entry,
			);
		else if (ended)
			reader.refuse("serial", `A serial port after "none" is not supported yet`, { remedy: 'Put "none" last' }, entry);
		else serials.push("pty");
	}
	if (serials.length > XLCFG_LIMITS.serialPorts)
		reader.refuse("serial", `A guest has at most ${XLCFG_LIMITS.serialPorts} serial ports`);
	return serials;
}

function readVga(reader: ConfigReader): GuestConfig["vga"] {
	const vga = reader.word("vga", ["none", "stdvga", "cirrus"], ["qxl"]);
	const stdvga = reader.boolean("stdvga");
	if (vga !== undefined && stdvga !== undefined && stdvga !== (vga === "stdvga"))
		reader.warn("stdvga", "Key stdvga is ignored since vga is given");
	return vga ?? (stdvga === true ? "stdvga" : "cirrus");
}

function readVideoMemory(reader: ConfigReader, vga: GuestConfig["vga"]): number {
	const least = VIDEO_MEMORY_MIB[vga];
	const asked = reader.integer("videoram", { min: 0, max: XLCFG_LIMITS.mostVideoMemoryMiB });
	if (asked === undefined) return least;
	if (vga === "none") {
		if (asked > 0) reader.warn("videoram", 'Key videoram has no effect with vga = "none"');
		return 0;
	}
	// QEMU gives the power of two (vga.c, vga_common_init), and Xen's accounting must agree with it.
	if (asked >= least && (asked & (asked - 1)) === 0) return asked;
	reader.refuse("videoram", `Key videoram with vga = "${vga}" takes a power of two from ${least}`);
	return least;
}

function refuseScreens(reader: ConfigReader): void {
	for (const key of ["vnc", "sdl"])
		if (reader.boolean(key) === true)
			reader.refuse(key, `A screen by ${key} is not supported yet`, { remedy: `Write ${key} = 0, or remove the line` });
}

function refuseNetwork(reader: ConfigReader): void {
	const nics = reader.strings("vif");
	if (nics && nics.length > 0)
		reader.refuse("vif", "Network interfaces are not supported yet", { remedy: "Write vif = [ ], or remove the line" });
}
