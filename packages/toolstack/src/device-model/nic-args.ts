import type { DomId } from "@bulkhead/base";
import type { NicConfig } from "@bulkhead/xlcfg";
import { netbackName, TAP_SUFFIX } from "../devices/vif.ts";

/**
 * QEMU's arguments for a guest's nics: one card and one tap for each that is emulated (libxl:
 * libxl__build_device_model_args_new). The tap is the stub domain's, which joins it with the PV nic of the same address;
 * its name carries the guest's domid for those who read logs. Models have been checked (check-nics.ts).
 */
export function nicArgs(nics: readonly NicConfig[], guest: DomId): string[] {
	const emulated = nics.filter(({ type }) => type === "ioemu");
	if (emulated.length === 0) return ["-net", "none"];
	return emulated.flatMap(({ devid, model, mac }) => [
		...["-device", `${model},id=nic${devid},netdev=net${devid},mac=${mac}`],
		"-netdev",
		`type=tap,id=net${devid},ifname=${netbackName(guest, devid)}${TAP_SUFFIX},script=no,downscript=no`,
	]);
}
