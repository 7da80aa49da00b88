import { InvalidInputError, printable } from "@bulkhead/base";
import { defined } from "../defined.ts";
import type { DeviceModelConfig, GuestConfig } from "../guest-config.ts";
import { checkPath } from "../specs/disk-config.ts";
import { checkValue } from "../specs/parameters.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readEach, readPath } from "./read-path.ts";

type Firmware = Pick<
	GuestConfig,
	"bios" | "biosPathOverride" | "firmwareOverride" | "smbiosFirmware" | "acpiFirmware" | "smbios"
>;

const BIOSES = ["seabios", "ovmf", "rombios"] as const;
/** What `firmware` may say of an HVM guest's BIOS; "bios" is the device model's own. */
const FIRMWARES: Readonly<Record<string, GuestConfig["bios"]>> = {
	uefi: "ovmf",
	seabios: "seabios",
	ovmf: "ovmf",
	rombios: "rombios",
};
const SMBIOS = /^(?:oem|(?:bios|system|baseboard|enclosure|battery)_[a-z0-9_]{1,32})=.{1,255}$/;

/** HVM: which firmware hvmloader starts, and which files and tables it gets (xl-cfg.md §3). */
export function readFirmware(reader: ConfigReader, place: DeviceModelConfig["place"], baseDir: string): Firmware {
	const named = readFirmwareKey(reader, baseDir);
	const bios = reader.word("bios", BIOSES) ?? named.bios ?? (place === "minios" ? "rombios" : "seabios");
	const key = reader.has("bios") ? "bios" : "firmware";
	if (named.bios !== undefined && reader.has("bios") && named.bios !== bios)
		reader.refuse("firmware", "Keys firmware and bios contradict each other", { remedy: "Remove one of them" });
	if (place === "minios" && bios !== "rombios")
		reader.refuse(key, `A MiniOS stub domain starts rombios only, not ${bios}`, { remedy: 'Write bios = "rombios"' });
	if (place !== "minios" && bios === "rombios")
		reader.refuse(key, "QEMU does not start rombios: only the device model of before did", {
			remedy: 'Write bios = "seabios"',
		});
	const firmwareOverride = readPath(reader, "firmware_override", baseDir);
	if (named.path !== undefined && firmwareOverride !== undefined)
		reader.refuse("firmware", "Keys firmware and firmware_override both name a file", { remedy: "Remove one of them" });
	return defined<Firmware>({
		bios,
		biosPathOverride: readPath(reader, "bios_path_override", baseDir),
		firmwareOverride: firmwareOverride ?? named.path,
		smbiosFirmware: readPath(reader, "smbios_firmware", baseDir),
		acpiFirmware: readPath(reader, "acpi_firmware", baseDir),
		smbios: readEach(reader, "smbios", checkSmbios),
	});
}

function readFirmwareKey(reader: ConfigReader, baseDir: string): { bios?: GuestConfig["bios"]; path?: string } {
	const text = reader.string("firmware");
	if (text === undefined || text === "bios") return {};
	const bios = Object.hasOwn(FIRMWARES, text) ? FIRMWARES[text] : undefined;
	if (bios !== undefined) return { bios };
	if (text.includes("/")) return { path: reader.attempt("firmware", () => checkPath(text, baseDir)) };
	reader.refuse("firmware", `Key firmware does not take "${printable(text, 32)}"`, {
		remedy: 'Use "bios", "uefi", "seabios", "ovmf", or a path',
	});
	return {};
}

/** A string of the SMBIOS tables: "system_manufacturer=…". @throws InvalidInputError */
export function checkSmbios(text: string): string {
	if (SMBIOS.test(text)) return checkValue("The SMBIOS table", "a string", text);
	throw new InvalidInputError(`"${printable(text, 64)}" is no SMBIOS string`, {
		remedy: 'Write "system_manufacturer=…", "bios_vendor=…" and so on',
	});
}
