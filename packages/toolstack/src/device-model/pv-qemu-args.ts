import type { GuestConfig } from "@bulkhead/xlcfg";
import type { ArgsPlace } from "./args/args-place.ts";
import { chrootArgs, monitorArgs, nameArgs, targetArgs, userArgs } from "./args/identity-args.ts";
import { memoryArgs } from "./args/machine-args.ts";
import { ownersArgs } from "./args/owners-args.ts";
import { screenArgs } from "./args/screen-args.ts";
import { screenOf } from "./pv-screen.ts";

/**
 * The argument list (without argv[0]) of a QEMU that emulates nothing and serves a PV guest's frame buffer and keyboard,
 * in the order of libxl's libxl__build_device_model_args_new. It finds both by their nodes. @throws InvalidInputError
 */
export function pvQemuArgs(config: GuestConfig, place: ArgsPlace): string[] {
	const screen = screenOf(config);
	return [
		...targetArgs(place),
		...monitorArgs(place),
		"-xen-attach",
		...nameArgs(config),
		...screenArgs(screen),
		...(screen.vnc || screen.sdl ? [] : ["-nographic"]),
		...chrootArgs(place),
		...ownersArgs(config.deviceModel?.args),
		...["-machine", "xenpv"],
		...ownersArgs(config.deviceModel?.argsPv),
		...memoryArgs(config),
		...userArgs(place),
	];
}
