import { InvalidInputError } from "@bulkhead/base";
import { defined } from "../defined.ts";
import type { GuestConfig } from "../guest-config.ts";
import { checkValue } from "../specs/parameters.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readEach } from "./read-path.ts";

type Emulated = Pick<GuestConfig, "usb" | "soundHardware">;

const SOUND_CARDS = ["hda", "ac97", "adlib", "cs4231a", "es1370", "gus", "sb16"] as const;

/** HVM: QEMU's emulated USB and sound card (xl-cfg.md §7). */
export function readUsbAndSound(reader: ConfigReader): Emulated {
	return defined<Emulated>({ usb: readUsb(reader), soundHardware: reader.word("soundhw", SOUND_CARDS) });
}

function readUsb(reader: ConfigReader): GuestConfig["usb"] {
	const asked = reader.boolean("usb");
	const devices = readEach(reader, "usbdevice", checkUsbDevice, { single: true });
	const version = reader.integer("usbversion", { min: 1, max: 3 }) as 1 | 2 | 3 | undefined;
	if (version !== undefined && (asked !== undefined || reader.has("usbdevice")))
		reader.refuse("usbversion", "Key usbversion goes with neither usb nor usbdevice", {
			remedy: "Remove it, or the others",
		});
	if (asked === false && devices.length > 0)
		reader.warn("usb", "Key usb is on all the same: usbdevice needs it", undefined, "Remove one of them");
	if (version !== undefined) return { devices: [], version };
	return asked === true || devices.length > 0 ? { devices } : undefined;
}

/** What QEMU's -usbdevice takes: "tablet", "host:046d:c52b". @throws InvalidInputError */
export function checkUsbDevice(text: string): string {
	if (text === "" || text.startsWith("-") || /[\s,]/.test(text))
		throw new InvalidInputError("A USB device is one word, without commas", { remedy: 'Write "tablet"' });
	return checkValue("The guest", "usbdevice", text);
}
