import { InvalidInputError } from "@bulkhead/base";

/**
 * Strings that hvmloader puts into the guest's SMBIOS tables, by their nodes below bios-strings (hvm_xs_strings.h). xl's
 * name of each has underscores in place of dashes.
 */
const STRINGS: ReadonlySet<string> = new Set([
	...["bios-vendor", "bios-version"],
	...["system-manufacturer", "system-product-name", "system-version", "system-serial-number"],
	...["baseboard-manufacturer", "baseboard-product-name", "baseboard-version", "baseboard-serial-number"],
	...["baseboard-asset-tag", "baseboard-location-in-chassis"],
	...["enclosure-manufacturer", "enclosure-serial-number", "enclosure-asset-tag"],
	...["battery-manufacturer", "battery-device-name"],
]);
/** hvmloader looks for oem-1 to oem-99. */
const MOST_OEM = 99;

/**
 * What a config's smbios comes to, as nodes below `bios-strings`. OEM strings are numbered in their order.
 * @throws InvalidInputError
 */
export function smbiosNodes(smbios: readonly string[]): Record<string, string> {
	const nodes: Record<string, string> = {};
	let oem = 0;
	for (const text of smbios) {
		const at = text.indexOf("=");
		const name = text.slice(0, at).replaceAll("_", "-");
		const isOem = name === "oem";
		if (isOem) oem++;
		if (!(isOem ? oem <= MOST_OEM : STRINGS.has(name)))
			throw new InvalidInputError(
				isOem ? `A guest can have ${MOST_OEM} OEM strings` : `hvmloader knows no SMBIOS string "${text.slice(0, at)}"`,
				{ remedy: `Known are oem and ${[...STRINGS].map((each) => each.replaceAll("-", "_")).join(", ")}` },
			);
		nodes[isOem ? `oem-${oem}` : name] = text.slice(at + 1);
	}
	return nodes;
}
