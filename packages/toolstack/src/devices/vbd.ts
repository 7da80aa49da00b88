import type { DomId } from "@bulkhead/base";
import type { DiskConfig } from "@bulkhead/xlcfg";
import type { NodeTree } from "../domain/node-tree.ts";
import { backendPath, frontendPath } from "../domain/paths.ts";
import { frontend, XENBUS_STATE } from "./xenbus.ts";
import type { XenbusDevice } from "./xenbus-device.ts";

/** A disk's block device in domain 0, ready to be named to blkback. */
export interface OpenDisk {
	disk: DiskConfig;
	/** "/dev/loop0" or the block device itself. */
	devicePath: string;
	/** "major:minor" in hexadecimal. */
	physicalDevice: string;
}

export const vbdDevice = (domid: DomId, { devnum }: Pick<DiskConfig, "devnum">): XenbusDevice => ({
	domid,
	kind: "vbd",
	devid: devnum,
});

/** The frontend's half of a virtual block device (libxl: device_disk_add). */
export function vbdFrontend(domid: DomId, { disk }: OpenDisk): NodeTree {
	return frontend(domid, backendPath(domid, "vbd", disk.devnum), {
		state: XENBUS_STATE.initialising,
		"virtual-device": disk.devnum,
		"device-type": deviceType(disk),
	});
}

/**
 * The backend's half. What a hot-plug script would add afterwards (`physical-device`) is known already and written
 * along: no script runs, nothing is forked.
 */
export function vbdBackend(domid: DomId, { disk, devicePath, physicalDevice }: OpenDisk): NodeTree {
	return {
		children: {
			frontend: frontendPath(domid, "vbd", disk.devnum),
			"frontend-id": domid,
			online: 1,
			dev: disk.vdev,
			type: "phy",
			mode: disk.readOnly ? "r" : "w",
			"device-type": deviceType(disk),
			...(disk.cdrom && { removable: 1 }),
			params: devicePath,
			"physical-device": physicalDevice,
			state: XENBUS_STATE.initialising,
		},
	};
}

const deviceType = ({ cdrom }: DiskConfig): string => (cdrom ? "cdrom" : "disk");
