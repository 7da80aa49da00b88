import type { Uuid } from "@bulkhead/base";
import { ABSENT } from "../absent.ts";
import { defined } from "../defined.ts";
import { GUEST_CONFIG_VERSION, type GuestConfig } from "../guest-config.ts";
import { readBoot } from "./boot.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readCpus } from "./cpus.ts";
import { readDeviceModel, readPlace, readPvDeviceModel } from "./device-model.ts";
import { readDisks } from "./disks.ts";
import { readDomainLimits } from "./domain-limits.ts";
import { readFirmware } from "./firmware.ts";
import { readName, readType, readUuid } from "./identity.ts";
import { KEYS_WITHOUT_EFFECT } from "./keys-by-type.ts";
import { readLifecycle } from "./lifecycle.ts";
import { readListedDevices } from "./listed-devices.ts";
import { readMemory } from "./memory.ts";
import { readNics } from "./nics.ts";
import { readHardware } from "./pci.ts";
import { readE820Host, readPlatform } from "./platform.ts";
import { readScreens } from "./screens.ts";
import { readSerials } from "./serials.ts";
import { readUsbAndSound } from "./usb.ts";

export interface ReadContext {
	baseDir: string;
	makeUuid: () => Uuid;
	makeMac: () => string;
}

/**
 * Reads every key that a guest may have. Problems go to the reader, and then there may be no config; every key is
 * read or set aside for every type of guest, so that what stays unread is unknown.
 */
export function readGuest(reader: ConfigReader, { baseDir, makeUuid, makeMac }: ReadContext): GuestConfig | undefined {
	const type = readType(reader);
	reader.setAside(
		KEYS_WITHOUT_EFFECT[type],
		`has no effect on ${type === "hvm" ? "an HVM" : `a ${type.toUpperCase()}`} guest`,
	);
	const name = readName(reader);
	const id = readUuid(reader, makeUuid);
	const memory = readMemory(reader);
	const cpus = readCpus(reader, type);
	const boot = readBoot(reader, type, baseDir);
	const hvm = type === "hvm" ? readHvm(reader, baseDir) : undefined;
	const pvDeviceModel = type === "hvm" ? undefined : readPvDeviceModel(reader, baseDir);
	const hdType = reader.word("hdtype", ["ide", "ahci"]) ?? "ide";
	const place = hvm?.deviceModel.place;
	const disks = readDisks(reader, { type, hdType, place }, baseDir);
	const nics = readNics(reader, type, makeMac);
	const screens = readScreens(reader, type);
	if (place === "stub-domain") warnOfScreens(reader, screens);
	const hardware = readHardware(reader);
	const rest = {
		...readListedDevices(reader),
		...readPlatform(reader),
		...readDomainLimits(reader),
		lifecycle: readLifecycle(reader),
		e820Host: readE820Host(reader, type, hardware.pci.length > 0),
	};
	reader.refuseUnreadKeys();
	if (memory && memory.memoryKiB <= screens.videoMemoryKiB)
		reader.refuse("memory", `The video memory leaves nothing of ${memory.memoryKiB / 1024} MiB`, {
			remedy: "Raise memory",
		});
	if (name === undefined || id === undefined || !memory) return undefined;
	return defined<GuestConfig>({
		...ABSENT,
		version: GUEST_CONFIG_VERSION,
		uuid: id,
		name,
		type,
		...memory,
		...cpus,
		...boot,
		bios: "seabios",
		serials: [],
		...hvm,
		...(pvDeviceModel && { deviceModel: pvDeviceModel }),
		hdType,
		disks,
		nics,
		...screens,
		...hardware,
		...rest,
	});
}

/** A stub domain's screen goes out by VNC alone. libxl leaves all three out without a word. */
function warnOfScreens(reader: ConfigReader, screens: Partial<Record<"sdl" | "spice", unknown>>): void {
	for (const key of ["sdl", "spice"] as const) {
		if (screens[key] === undefined) continue;
		reader.warn(
			key,
			`Key ${key} has no effect on a device model in a stub domain`,
			undefined,
			"Write vnc = 1 in its place, or device_model_stubdomain_override = 0",
		);
	}
}

function readHvm(
	reader: ConfigReader,
	baseDir: string,
): Pick<GuestConfig, "stub" | "bios" | "smbios" | "serials" | "usb"> & Required<Pick<GuestConfig, "deviceModel">> {
	const place = readPlace(reader);
	return {
		...readDeviceModel(reader, place, baseDir),
		...readFirmware(reader, place, baseDir),
		serials: readSerials(reader),
		...readUsbAndSound(reader),
	};
}
