import { InvalidInputError } from "@bulkhead/base";
import type { GuestType, NicConfig } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { parseNicSpec } from "../specs/nic-spec.ts";
import type { ConfigReader } from "./config-reader.ts";

export function readNics(reader: ConfigReader, guestType: GuestType, makeMac: () => string): NicConfig[] {
	const nics: NicConfig[] = [];
	for (const [index, place] of (reader.strings("vif", { most: XLCFG_LIMITS.nics }) ?? []).entries()) {
		const parsed = reader.attempt("vif", () => parseNicSpec(place.text, { guestType, index, makeMac }), place);
		if (!parsed) continue;
		for (const warning of parsed.warnings) reader.warn("vif", warning, place);
		reader.attempt("vif", () => checkNicFits(parsed.nic, nics), place);
		nics.push(parsed.nic);
	}
	return nics;
}

/** @throws InvalidInputError when two interfaces have one number, address or name */
export function checkNicFits(nic: NicConfig, earlier: readonly NicConfig[]): void {
	for (const other of earlier) {
		if (other.devid === nic.devid) throw new InvalidInputError(`There are two network interfaces number ${nic.devid}`);
		if (other.mac === nic.mac) throw new InvalidInputError(`Two network interfaces have the address ${nic.mac}`);
		if (nic.interfaceName !== undefined && other.interfaceName === nic.interfaceName && other.backend === nic.backend)
			throw new InvalidInputError(`Two network interfaces have the name ${nic.interfaceName}`);
	}
}
