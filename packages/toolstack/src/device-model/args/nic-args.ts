import type { GuestConfig } from "@bulkhead/xlcfg";
import { type ArgsPlace, inStub } from "./args-place.ts";
import { optionValue, plainWord, requireWord } from "./option-text.ts";

const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;
/** libxl's TAP_DEVICE_SUFFIX. */
const TAP_SUFFIX = "-emu";

/**
 * A card and a tap for every nic that is emulated (libxl). The tap's name carries the guest's domid, in a stub domain
 * too, where it is only a name. A bridge means something in domain 0 alone.
 */
export function nicArgs({ nics }: Pick<GuestConfig, "nics">, place: ArgsPlace): string[] {
	const emulated = nics.filter(({ type }) => type === "ioemu");
	if (emulated.length === 0) return ["-net", "none"];
	return emulated.flatMap(({ devid, model, mac, bridge }) => {
		const card = plainWord("nic's model", model);
		const address = requireWord("nic's address", mac, MAC);
		const joins = bridge === undefined || inStub(place) ? "" : `br=${optionValue("bridge", bridge)},`;
		return [
			...["-device", `${card},id=nic${devid},netdev=net${devid},mac=${address}`],
			...[
				"-netdev",
				`type=tap,id=net${devid},ifname=vif${place.guest}.${devid}${TAP_SUFFIX},${joins}script=no,downscript=no`,
			],
		];
	});
}
