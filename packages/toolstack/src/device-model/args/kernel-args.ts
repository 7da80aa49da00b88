import type { GuestConfig } from "@bulkhead/xlcfg";
import { DIRECT_BOOT_KERNEL, DIRECT_BOOT_RAMDISK } from "../direct-boot.ts";
import { type ArgsPlace, inStub } from "./args-place.ts";
import { wholeArgument } from "./option-text.ts";

/** Direct kernel boot. QEMU takes each argument whole. In a stub domain the files are disks of it (direct-boot.ts). */
export function kernelArgs({ kernel, ramdisk, commandLine }: GuestConfig, place: ArgsPlace): string[] {
	if (kernel === undefined) return [];
	const stub = inStub(place);
	return [
		...["-kernel", stub ? DIRECT_BOOT_KERNEL.path : wholeArgument("kernel", kernel)],
		...(ramdisk === undefined ? [] : ["-initrd", stub ? DIRECT_BOOT_RAMDISK.path : wholeArgument("ramdisk", ramdisk)]),
		...(commandLine === "" ? [] : ["-append", wholeArgument("kernel's command line", commandLine)]),
	];
}
