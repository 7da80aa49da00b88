import type { DomId } from "@bulkhead/base";
import type { GuestConfig } from "@bulkhead/xlcfg";
import { type ArgsPlace, inStub } from "./args/args-place.ts";
import { ahciArgs, disksArgs, scsiArgs } from "./args/disk-args.ts";
import { chrootArgs, monitorArgs, nameArgs, restrictionArgs, targetArgs, userArgs } from "./args/identity-args.ts";
import { kernelArgs } from "./args/kernel-args.ts";
import { bootArgs, machineArgs, memoryArgs, processorArgs, vendorArgs } from "./args/machine-args.ts";
import { nicArgs } from "./args/nic-args.ts";
import { ownersArgs } from "./args/owners-args.ts";
import { nographicArgs, screenArgs, stubScreenArgs } from "./args/screen-args.ts";
import { serialArgs } from "./args/serial-args.ts";
import { soundArgs } from "./args/sound-args.ts";
import { spiceArgs } from "./args/spice-args.ts";
import { usbArgs } from "./args/usb-args.ts";
import { videoArgs } from "./args/video-args.ts";

export { driveId, isEmulated } from "./args/disk-args.ts";

/**
 * The argument list (without argv[0]) of QEMU for an HVM guest, in the order of libxl's
 * libxl__build_device_model_args_new. No text of the config can add an option or an argument: what the config's owner
 * means as arguments (device_model_args) apart.
 * @throws InvalidInputError
 */
export function qemuArgs(config: GuestConfig, place: ArgsPlace): string[] {
	return [
		...targetArgs(place),
		...monitorArgs(place),
		...nameArgs(config),
		...(inStub(place) ? stubScreenArgs(config) : screenArgs(config)),
		...kernelArgs(config, place),
		...scsiArgs(config),
		...serialArgs(config, place),
		...nographicArgs(config),
		...spiceArgs(config, place),
		...videoArgs(config),
		...bootArgs(config),
		...usbArgs(config, place),
		...soundArgs(config),
		...processorArgs(config),
		...nicArgs(config, place),
		...restrictionArgs(place),
		...chrootArgs(place),
		...ownersArgs(config.deviceModel?.args),
		...machineArgs(config),
		...ownersArgs(config.deviceModel?.argsHvm),
		...memoryArgs(config),
		...ahciArgs(config),
		...disksArgs(config, place),
		...vendorArgs(config),
		...userArgs(place),
	];
}

/** Of a QEMU in a Linux stub domain: paths are those inside the stub, disks /dev/xvdX, serial ports /dev/hvcN. */
export function stubQemuArgs(config: GuestConfig, guest: DomId): string[] {
	return qemuArgs(config, { kind: "stub-domain", guest });
}
