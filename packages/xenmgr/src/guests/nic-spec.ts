import { type GuestConfig, makeRandomMac, type NicConfig, parseNicSpec } from "@bulkhead/xlcfg";

/**
 * A nic for a guest that runs, as its config would word it. Without a type it is a PV nic, as with xl: no card can be
 * plugged into a running guest. A `devid` of its own is not taken.
 * @throws InvalidInputError
 */
export function readNicSpec(spec: string, guestType: GuestConfig["type"], devid: number): NicConfig {
	const typed = /(?:^|,)\s*type\s*=/.test(spec) ? spec : ["type=vif", ...(spec.trim() === "" ? [] : [spec])].join(",");
	const { nic } = parseNicSpec(typed, { guestType, index: devid, makeMac: makeRandomMac });
	return { ...nic, devid };
}
