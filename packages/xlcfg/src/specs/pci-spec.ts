import { InvalidInputError, printable } from "@bulkhead/base";
import { defined } from "../defined.ts";
import type { PciDeviceConfig } from "../guest-config.ts";
import { checkValue, parseFlag, parseWord, refuseUnknownParameter, splitParameters } from "./parameters.ts";

export type PciDefaults = Pick<PciDeviceConfig, "permissive" | "msiTranslate" | "powerManagement" | "seize">;

const ADDRESS = /^(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7]|\*)(?:@([0-9a-f]{1,2}))?$/i;
const PARAMETERS = [
	...["bdf", "vslot", "permissive", "msitranslate", "seize", "power_mgmt", "rdm_policy", "name"],
] as const;
const WHAT = "The PCI device";
const LAST_SLOT = 31;

/**
 * Reads one entry of `pci = [ … ]` (xl-cfg.md §10): "03:00.0", "0000:03:00.*@1f,permissive=1", "name=NIC,seize=1".
 * @throws InvalidInputError
 */
export function parsePciSpec(text: string, defaults: PciDefaults): PciDeviceConfig {
	const given = new Map<string, string>();
	for (const [index, { name, value }] of splitParameters(text).entries()) {
		const key = value === undefined ? (["bdf", "vslot"][index] ?? name) : name;
		if (!PARAMETERS.some((candidate) => candidate === key)) refuseUnknownParameter(WHAT, name, PARAMETERS);
		if (given.has(key)) throw new InvalidInputError(`${WHAT}: ${key} is given twice`);
		given.set(key, checkValue(WHAT, key, value ?? name));
	}
	const flag = (name: string, otherwise: boolean): boolean => parseFlag(WHAT, name, given.get(name)) ?? otherwise;
	return defined<PciDeviceConfig>({
		...parsePlace(given),
		permissive: flag("permissive", defaults.permissive),
		msiTranslate: flag("msitranslate", defaults.msiTranslate),
		powerManagement: flag("power_mgmt", defaults.powerManagement),
		seize: flag("seize", defaults.seize),
		rdmPolicy: parseWord(WHAT, "rdm_policy", given.get("rdm_policy"), ["strict", "relaxed"]),
	});
}

function parsePlace(given: ReadonlyMap<string, string>): Pick<PciDeviceConfig, "address" | "slot" | "name"> {
	const bdf = given.get("bdf");
	const name = given.get("name");
	if ((bdf === undefined) === (name === undefined))
		throw new InvalidInputError(`${WHAT} takes an address or a name, one of both`, {
			remedy: "Write its address as lspci prints it: 03:00.0",
		});
	if (name !== undefined) return { address: "", name, slot: parseSlot(given.get("vslot")) };
	const [all, domain = "0", bus = "", device = "", fn = "", at] = ADDRESS.exec(bdf ?? "") ?? [];
	if (all === undefined || Number.parseInt(device, 16) > LAST_SLOT)
		throw new InvalidInputError(`"${printable(bdf ?? "", 32)}" is no address of a PCI device`, {
			remedy: "Write it as lspci prints it: 03:00.0, or 03:00.* for all functions",
		});
	if (at !== undefined && given.has("vslot")) throw new InvalidInputError(`${WHAT}: vslot is given twice`);
	const padded = [domain.padStart(4, "0"), bus.padStart(2, "0"), device.padStart(2, "0")].join(":");
	return { address: `${padded}.${fn}`.toLowerCase(), slot: parseSlot(at ?? given.get("vslot")) };
}

function parseSlot(text: string | undefined): number | undefined {
	if (text === undefined) return undefined;
	const slot = /^[0-9a-f]{1,2}$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN;
	if (slot <= LAST_SLOT) return slot;
	throw new InvalidInputError(`"${printable(text, 32)}" is no slot of the guest's PCI bus`, {
		remedy: "Write a hex number from 0 to 1f",
	});
}

/** A pci specification that parses to the same device, whatever the defaults. */
export function formatPci({ address, name, slot, rdmPolicy, ...device }: PciDeviceConfig): string {
	const flags = {
		permissive: device.permissive,
		msitranslate: device.msiTranslate,
		power_mgmt: device.powerManagement,
	};
	return [
		name === undefined ? address : `name=${name}`,
		...(slot === undefined ? [] : [`vslot=${slot.toString(16)}`]),
		...Object.entries({ ...flags, seize: device.seize }).map(([key, on]) => `${key}=${Number(on)}`),
		...(rdmPolicy === undefined ? [] : [`rdm_policy=${rdmPolicy}`]),
	].join(",");
}
