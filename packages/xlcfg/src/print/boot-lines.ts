import type { GuestConfig } from "../guest-config.ts";
import { flag, list, number, text } from "./lines.ts";

export function kernelLines(config: GuestConfig): string[] {
	const { bootloader, pvShim } = config;
	return [
		...text("kernel", config.kernel),
		...text("ramdisk", config.ramdisk),
		...(config.type === "hvm" && config.kernel === undefined ? [] : text("cmdline", config.commandLine)),
		...text("bootloader", bootloader?.path),
		...list("bootloader_args", bootloader?.args ?? []),
		...flag("bootloader_restrict", bootloader?.restrict),
		...text("bootloader_user", bootloader?.user),
		...text("firmware", config.bootFirmware),
		...number("pvshim", pvShim && 1),
		...text("pvshim_path", pvShim?.path),
		...text("pvshim_cmdline", pvShim?.commandLine),
	];
}

export function hvmBootLines(config: GuestConfig): string[] {
	return [
		...text("bios", config.bios),
		...text("bios_path_override", config.biosPathOverride),
		...text("firmware_override", config.firmwareOverride),
		...text("boot", config.boot),
		...text("smbios_firmware", config.smbiosFirmware),
		...text("acpi_firmware", config.acpiFirmware),
		...list("smbios", config.smbios),
	];
}
