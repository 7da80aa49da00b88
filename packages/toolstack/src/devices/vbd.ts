import { DOM0, type DomId } from "@bulkhead/base";
import type { DiskConfig } from "@bulkhead/xlcfg";
import type { NodeTree } from "../domain/node-tree.ts";
import { recordOf } from "./record.ts";
import { frontend, XENBUS_STATE } from "./xenbus.ts";
import { type XenbusDevice, xenbusPaths } from "./xenbus-device.ts";

/** A disk ready to be named to its backend. */
export interface OpenDisk {
	disk: ServableDisk;
	/** "/dev/loop0", or the block device itself; what a script, or another domain, is told as it stands. */
	devicePath: string;
	/** "major:minor" in hexadecimal; undefined: a script, or the backend's own domain, finds it out. */
	physicalDevice?: string;
}

/** A disk as the host serves it: its script is an absolute path, its backend's domain is known. */
export interface ServableDisk extends DiskConfig {
	/** Undefined: domain 0. */
	backendDomid?: DomId;
}

export const vbdDevice = (
	domid: DomId,
	{ devnum, backendDomid }: Pick<ServableDisk, "devnum" | "backendDomid">,
): XenbusDevice => ({
	domid,
	kind: "vbd",
	devid: devnum,
	...(backendDomid !== undefined && { backendDomid }),
});

/** The frontend's half of a virtual block device (libxl: device_disk_add). */
export function vbdFrontend(domid: DomId, { disk }: OpenDisk): NodeTree {
	const { backend } = xenbusPaths(vbdDevice(domid, disk));
	const own = {
		state: XENBUS_STATE.initialising,
		"virtual-device": disk.devnum,
		"device-type": deviceType(disk),
	};
	const { trusted = true, backendDomid = DOM0 } = disk;
	return frontend(domid, backend, own, { trusted: trusted ? 1 : 0 }, backendDomid);
}

/**
 * The backend's half. What a hot-plug script would add afterwards (`physical-device`) is written along where it is known:
 * then no script runs and nothing is forked. `direct-io-safe` allows what only QEMU's backend does.
 */
export function vbdBackend(domid: DomId, { disk, devicePath, physicalDevice }: OpenDisk): NodeTree {
	const { readOnly, cdrom, script, directIoSafe, discard = !readOnly } = disk;
	return {
		children: {
			frontend: xenbusPaths(vbdDevice(domid, disk)).frontend,
			"frontend-id": domid,
			online: 1,
			dev: disk.vdev,
			type: "phy",
			mode: readOnly ? "r" : "w",
			"device-type": deviceType(disk),
			...(cdrom && { removable: 1 }),
			"discard-enable": discard ? 1 : 0,
			...(directIoSafe && { "direct-io-safe": 1 }),
			...(script !== undefined && { script }),
			params: devicePath,
			...(physicalDevice !== undefined && { "physical-device": physicalDevice }),
			state: XENBUS_STATE.initialising,
		},
	};
}

/** @see recordOf */
export const vbdRecord = (domid: DomId, disk: OpenDisk): NodeTree =>
	recordOf(vbdDevice(domid, disk.disk), vbdBackend(domid, disk));

const deviceType = ({ cdrom }: DiskConfig): string => (cdrom ? "cdrom" : "disk");
