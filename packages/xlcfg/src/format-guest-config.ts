import type { DiskConfig, GuestConfig } from "./guest-config.ts";
import { quoteString } from "./string-escapes.ts";

/** xl.cfg text that parses to the same config. */
export function formatGuestConfig(config: GuestConfig): string {
	const lines = [...baseLines(config), ...(config.type === "hvm" ? hvmLines(config) : pvLines(config))];
	return `${lines.join("\n")}\n`;
}

const text = (key: string, value: string | undefined): string[] =>
	value === undefined ? [] : [`${key} = ${quoteString(value)}`];
const number = (key: string, value: number | boolean): string => `${key} = ${Number(value)}`;
const list = (key: string, values: readonly string[]): string[] =>
	values.length === 0 ? [] : [`${key} = [`, ...values.map((value) => `\t${quoteString(value)},`), "]"];

function baseLines(config: GuestConfig): string[] {
	const { lifecycle } = config;
	return [
		...text("name", config.name),
		...text("uuid", config.uuid),
		...text("type", config.type),
		number("memory", config.memoryKiB / 1024),
		number("vcpus", config.vcpus),
		number("acpi", config.acpi),
		...list("disk", config.disks.map(formatDisk)),
		...text("on_poweroff", lifecycle.poweroff),
		...text("on_reboot", lifecycle.reboot),
		...text("on_watchdog", lifecycle.watchdog),
		...text("on_crash", lifecycle.crash),
		...text("on_device_model_failure", lifecycle.deviceModelFailure),
	];
}

function pvLines({ kernel, ramdisk, commandLine }: GuestConfig): string[] {
	return [...text("kernel", kernel), ...text("ramdisk", ramdisk), ...text("cmdline", commandLine)];
}

function hvmLines(config: GuestConfig): string[] {
	const { stub } = config;
	return [
		...text("bios", config.bios),
		...text("bios_path_override", config.biosPathOverride),
		...text("firmware_override", config.firmwareOverride),
		...text("boot", config.boot),
		...list("serial", config.serials),
		...text("vga", config.vga),
		number("videoram", config.videoMemoryKiB / 1024),
		number("nographic", config.nographic),
		...text("hdtype", config.hdType),
		...text("stubdomain_kernel", stub?.kernel),
		...text("stubdomain_ramdisk", stub?.ramdisk),
		...(stub?.memoryKiB === undefined ? [] : [number("stubdomain_memory", stub.memoryKiB / 1024)]),
		...text("stubdomain_cmdline", stub?.commandLine),
		...list("device_model_args", config.deviceModel?.args ?? []),
		...list("device_model_args_hvm", config.deviceModel?.argsHvm ?? []),
	];
}

/** `target=` takes the rest of the string, so a path may hold commas. */
export function formatDisk({ vdev, readOnly, cdrom, path }: DiskConfig): string {
	const parameters = ["format=raw", `vdev=${vdev}`, `access=${readOnly ? "ro" : "rw"}`];
	if (cdrom) parameters.push("devtype=cdrom");
	if (path !== undefined) parameters.push(`target=${path}`);
	return parameters.join(", ");
}
