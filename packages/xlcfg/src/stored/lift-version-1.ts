import { ABSENT } from "../absent.ts";
import { GUEST_CONFIG_VERSION } from "../guest-config.ts";

/** The fields of version 1; others were never stored with it. */
const FIELDS: ReadonlySet<string> = new Set([
	...["version", "uuid", "name", "type", "memoryKiB", "vcpus", "kernel", "ramdisk", "commandLine", "bios"],
	...["biosPathOverride", "firmwareOverride", "boot", "disks", "serials", "vga", "videoMemoryKiB", "nographic"],
	...["hdType", "acpi", "lifecycle", "stub", "deviceModelArgs"],
]);

/**
 * A config that a daemon stored before networks and device models could be chosen, as this version would store it:
 * HVM guests with a Linux stub domain, PV guests, disks and serial ports. Anything else is answered unchanged.
 */
export function liftVersion1(value: unknown): unknown {
	if (typeof value !== "object" || value === null || !("version" in value) || value.version !== 1) return value;
	const { deviceModelArgs, lifecycle, ...rest } = value as Record<string, unknown>;
	const known = Object.keys(value).every((key) => FIELDS.has(key));
	if (!known) return value;
	const deviceModel = { place: "stub-domain", restrict: false, args: deviceModelArgs, argsHvm: [], argsPv: [] };
	return {
		...ABSENT,
		...rest,
		version: GUEST_CONFIG_VERSION,
		maxMemoryKiB: rest.memoryKiB,
		maxVcpus: rest.vcpus,
		lifecycle: typeof lifecycle === "object" ? { softReset: "soft-reset", ...lifecycle } : lifecycle,
		...(rest.type === "hvm" ? { deviceModel } : {}),
	};
}
