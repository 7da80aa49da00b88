import type { DomId } from "@bulkhead/base";
import type { XenstoreView } from "@bulkhead/xenstore";
import type { DiskConfig } from "@bulkhead/xlcfg";
import { backendPath, frontendPath } from "../domain/paths.ts";
import { ownedBy, readableBy } from "../domain/permissions.ts";
import { XENBUS_STATE } from "./xenbus.ts";

/** A disk's block device in domain 0, ready to be named to blkback. */
export interface OpenDisk {
	disk: DiskConfig;
	/** "/dev/loop0" or the block device itself. */
	devicePath: string;
	/** "major:minor" in hexadecimal. */
	physicalDevice: string;
}

/**
 * Both ends of a virtual block device (libxl: device_disk_add). What a hot-plug script would add afterwards
 * (`physical-device`, `hotplug-status`) is known already and written along: no script runs, nothing is forked.
 */
export function writeVbd(
	store: XenstoreView,
	domid: DomId,
	{ disk, devicePath, physicalDevice }: OpenDisk,
): Promise<unknown> {
	const frontend = frontendPath(domid, "vbd", disk.devnum);
	const backend = backendPath(domid, "vbd", disk.devnum);
	const deviceType = disk.cdrom ? "cdrom" : "disk";
	const frontendKeys = {
		backend,
		"backend-id": 0,
		state: XENBUS_STATE.initialising,
		"virtual-device": disk.devnum,
		"device-type": deviceType,
		protocol: "x86_64-abi",
	};
	const backendKeys = {
		frontend,
		"frontend-id": domid,
		online: 1,
		removable: disk.cdrom ? 1 : 0,
		bootable: 1,
		dev: disk.vdev,
		type: "phy",
		mode: disk.readOnly ? "r" : "w",
		"device-type": deviceType,
		params: devicePath,
		"physical-device": physicalDevice,
		"physical-device-path": devicePath,
		"hotplug-status": "connected",
		state: XENBUS_STATE.initialising,
	};
	return Promise.all([
		store.put(frontend, "", ownedBy(domid)),
		...Object.entries(frontendKeys).map(([key, value]) => store.write(`${frontend}/${key}`, value)),
		store.put(backend, "", readableBy(domid)),
		...Object.entries(backendKeys).map(([key, value]) => store.write(`${backend}/${key}`, value)),
	]);
}
