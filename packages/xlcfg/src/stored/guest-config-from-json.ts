import type { GuestConfig } from "../guest-config.ts";
import { checkNicFits } from "../keys/nics.ts";
import { checkPciFits } from "../keys/pci.ts";
import { checkChannelFits } from "../specs/channel-spec.ts";
import { checkDiskFits } from "../specs/disk-fits.ts";
import { guestShape } from "./guest-shape.ts";
import { liftVersion1 } from "./lift-version-1.ts";
import { refuseAt, runCheck } from "./shape.ts";

/**
 * A stored config read back: every field is checked again, and a field that this version does not know is refused.
 * Configs of version 1 are lifted.
 * @throws InvalidInputError, code "bad-stored-config", naming the field
 */
export function guestConfigFromJson(value: unknown): GuestConfig {
	const config = guestShape(liftVersion1(value), "config");
	checkWhole(config);
	return config;
}

function checkWhole(config: GuestConfig): void {
	const { type, deviceModel, stub, disks, nics, channels, pci } = config;
	const place = deviceModel?.place;
	if (type !== "hvm" && config.kernel === undefined && !config.bootloader && !config.bootFirmware)
		refuseAt("config.kernel", "is missing");
	if (type === "hvm" && deviceModel === undefined) refuseAt("config.deviceModel", "is missing");
	if (type !== "hvm" && place !== undefined && place !== "dom0")
		refuseAt("config.deviceModel.place", "is for HVM guests");
	if ((place === "stub-domain" || place === "minios") !== (stub !== undefined))
		refuseAt("config.stub", stub ? "is for a stub domain" : "is missing");
	if (!/^[acdn]{1,4}$/.test(config.boot)) refuseAt("config.boot", "is not a boot order");
	if (config.maxMemoryKiB < config.memoryKiB) refuseAt("config.maxMemoryKiB", "is less than memoryKiB");
	if (config.maxVcpus < config.vcpus) refuseAt("config.maxVcpus", "is less than vcpus");
	if (type !== "hvm" && nics.some((nic) => nic.type === "ioemu")) refuseAt("config.nics", "has an emulated card");
	forEachWithEarlier(disks, "disks", (disk, earlier) => checkDiskFits(disk, earlier, { ...config, place }));
	forEachWithEarlier(nics, "nics", checkNicFits);
	forEachWithEarlier(channels, "channels", checkChannelFits);
	forEachWithEarlier(pci, "pci", checkPciFits);
}

function forEachWithEarlier<T>(
	items: readonly T[],
	name: string,
	check: (item: T, earlier: readonly T[]) => unknown,
): void {
	for (const [index, item] of items.entries())
		runCheck(`config.${name}[${index}]`, () => check(item, items.slice(0, index)));
}
