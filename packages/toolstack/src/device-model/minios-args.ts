import type { DomId } from "@bulkhead/base";
import { InvalidInputError } from "@bulkhead/base";
import type { GuestConfig, NicConfig } from "@bulkhead/xlcfg";
import { plainWord, requireWord, wholeArgument } from "./args/option-text.ts";
import { vncAddress } from "./args/screen-args.ts";

const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;

/**
 * The argument list of the older QEMU (qemu-xen-traditional) that a MiniOS stub domain holds, as libxl's
 * libxl__build_device_model_args_old orders it. It finds its disks in xenstore by itself.
 * @throws InvalidInputError
 */
export function miniosQemuArgs(config: GuestConfig, guest: DomId): string[] {
	const { name, vnc, sdl, keymap, serials, nographic, videoMemoryKiB, vga, boot, usb, soundHardware } = config;
	return [
		...["-d", `${guest}`, "-domain-name", wholeArgument("guest's name", name)],
		...(vnc
			? ["-vnc", vncAddress({ ...vnc, findUnused: false }).replace(",password=on", ",password")]
			: ["-vnc", "none"]),
		...(vnc?.findUnused ? ["-vncunused"] : []),
		...(sdl ? ["-sdl", ...(sdl.opengl ? [] : ["-disable-opengl"])] : []),
		...(keymap === undefined ? [] : ["-k", plainWord("keymap", keymap)]),
		...serials.flatMap((serial) => ["-serial", wholeArgument("serial port", serial)]),
		...(nographic && !sdl && !vnc ? ["-nographic"] : []),
		...(videoMemoryKiB > 0 ? ["-videoram", `${Math.floor(videoMemoryKiB / 1024)}`] : []),
		...(vga === "stdvga" ? ["-std-vga"] : vga === "none" ? ["-vga", "none"] : []),
		...["-boot", boot],
		...(usb ? ["-usb", ...usb.devices.flatMap((device) => ["-usbdevice", wholeArgument("USB device", device)])] : []),
		...(soundHardware ? ["-soundhw", plainWord("sound card", soundHardware)] : []),
		...(config.acpi ? ["-acpi"] : []),
		...(config.maxVcpus > 1 ? ["-vcpus", `${config.maxVcpus}`] : []),
		...["-vcpu_avail", `0x${((1n << BigInt(config.vcpus)) - 1n).toString(16)}`],
		...nicArgs(config.nics, guest),
		...(config.gfxPassthru === undefined ? [] : ["-gfx_passthru"]),
		...(config.deviceModel?.args ?? []),
		...["-M", "xenfv"],
		...(config.deviceModel?.argsHvm ?? []),
	];
}

function nicArgs(nics: readonly NicConfig[], guest: DomId): string[] {
	const emulated = nics.filter(({ type }) => type === "ioemu");
	if (emulated.length === 0) return ["-net", "none"];
	return emulated.flatMap(({ devid, mac, model, bridge }) => {
		const joins = bridge === undefined ? "" : `,bridge=${plainWord("bridge", bridge)}`;
		return [
			...[
				"-net",
				`nic,vlan=${devid},macaddr=${requireWord("nic's address", mac, MAC)},model=${plainWord("nic's model", model)}`,
			],
			...["-net", `tap,vlan=${devid},ifname=vif${guest}.${devid}-emu${joins},script=no,downscript=no`],
		];
	});
}

/** What MiniOS' QEMU cannot take: libxl leaves them out of dmargs wherever they stand (libxl__write_stub_dmargs). */
const DROPPED: ReadonlySet<string> = new Set(["-sdl", "-M", "xenfv"]);

/**
 * The one string of <vm>/image/dmargs: a space before each argument. There is no quoting, so an argument with a space,
 * or an empty one, is refused where libxl would let it become another list. @throws InvalidInputError `unsafe-argument`
 */
export function dmargs(args: readonly string[]): string {
	return args
		.filter((argument) => !DROPPED.has(argument))
		.map((argument) => {
			if (argument === "" || /\s/.test(argument))
				throw new InvalidInputError(
					`A MiniOS stub domain cannot be given the argument ${JSON.stringify(argument)}: its arguments are divided by spaces`,
					{ remedy: "Leave the space out, for example in the guest's name" },
					"unsafe-argument",
				);
			return ` ${argument}`;
		})
		.join("");
}
