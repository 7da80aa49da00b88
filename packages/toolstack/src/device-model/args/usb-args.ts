import { InvalidInputError } from "@bulkhead/base";
import type { GuestConfig } from "@bulkhead/xlcfg";
import { type ArgsPlace, inStub } from "./args-place.ts";
import { wholeArgument } from "./option-text.ts";

/** QEMU's companion controllers of an EHCI one, at functions 0 to 2 of the same slot. */
const UHCI_COMPANIONS = [1, 2, 3] as const;
/** Devices of the host, which a stub domain has not. */
const HOST_DEVICE = /^(?:host|disk|serial|braille|net|bt|ccid)(?::|$)/;

const CONTROLLERS: Readonly<Record<1 | 2 | 3, readonly string[]>> = {
	1: ["-device", "piix3-usb-uhci,id=usb"],
	2: [
		"-device",
		"ich9-usb-ehci1,id=usb,addr=0x1d.0x7,multifunction=on",
		...UHCI_COMPANIONS.flatMap((number) => [
			"-device",
			`ich9-usb-uhci${number},masterbus=usb.0,firstport=${2 * (number - 1)},addr=0x1d.${hex(number - 1)},multifunction=on`,
		]),
	],
	3: ["-device", "nec-usb-xhci,id=usb"],
};

/** printf's %#x, which has no prefix for 0. */
function hex(value: number): string {
	return value === 0 ? "0" : `0x${value.toString(16)}`;
}

/** An old-style controller with its devices, or a controller of a version with SPICE's redirections. */
export function usbArgs({ usb, spice }: GuestConfig, place: ArgsPlace): string[] {
	if (!usb) return [];
	if (usb.version === undefined)
		return ["-usb", ...usb.devices.flatMap((device) => ["-usbdevice", usbDevice(device, place)])];
	const redirections = inStub(place) ? 0 : (spice?.usbRedirection ?? 0);
	return [...CONTROLLERS[usb.version], ...Array.from({ length: redirections }, (_, at) => redirection(at)).flat()];
}

function usbDevice(device: string, place: ArgsPlace): string {
	if (inStub(place) && HOST_DEVICE.test(device))
		throw new InvalidInputError(`The USB device "${device}" is one of the host, which a stub domain has not`, {
			remedy: 'Use "tablet", "mouse" or "keyboard", or device_model_stubdomain_override = 0',
		});
	return wholeArgument("USB device", device);
}

function redirection(at: number): string[] {
	return ["-chardev", `spicevmc,name=usbredir,id=usbrc${at}`, "-device", `usb-redir,chardev=usbrc${at},id=usbrc${at}`];
}
