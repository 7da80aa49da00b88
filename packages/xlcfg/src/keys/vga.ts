import type { GuestConfig } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import type { ConfigReader } from "./config-reader.ts";

/** Video memory without `videoram`, and the least that is allowed (libxl: libxl__domain_build_info_setdefault). */
const VIDEO_MEMORY_MIB = { none: 0, cirrus: 8, stdvga: 16, qxl: 128 } as const;

export function readVga(reader: ConfigReader): GuestConfig["vga"] {
	const vga = reader.word("vga", ["none", "stdvga", "cirrus", "qxl"]);
	const stdvga = reader.boolean("stdvga");
	if (stdvga !== undefined) {
		const ignored = vga !== undefined && stdvga !== (vga === "stdvga");
		reader.warn(
			"stdvga",
			ignored ? "Key stdvga is ignored since vga is given" : 'Key stdvga is deprecated: write vga = "stdvga"',
		);
	}
	return vga ?? (stdvga === true ? "stdvga" : "cirrus");
}

export function readVideoMemory(reader: ConfigReader, vga: GuestConfig["vga"]): number {
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
