import type { DomId } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { DiskConfig } from "@bulkhead/xlcfg";
import { findBackendDomid } from "../devices/record.ts";
import { vbdDevice } from "../devices/vbd.ts";
import { xenbusPaths } from "../devices/xenbus-device.ts";

/** A disk as it is connected. Numbers that the guest wrote, and that are none, are left out. */
export interface DiskState {
	disk: DiskConfig;
	backendDomid: DomId;
	backendPath: string;
	/** State of the frontend. */
	state?: number;
	eventChannel?: number;
	ringRef?: number;
}

export function listDisks(store: XenstoreClient, domid: DomId, disks: readonly DiskConfig[]): Promise<DiskState[]> {
	return Promise.all(disks.map((disk) => describeDisk(store, domid, disk)));
}

async function describeDisk(store: XenstoreClient, domid: DomId, disk: DiskConfig): Promise<DiskState> {
	const backendDomid = await findBackendDomid(store, vbdDevice(domid, disk));
	const { frontend, backend } = xenbusPaths({ ...vbdDevice(domid, disk), backendDomid });
	const number = async (key: string): Promise<number | undefined> => {
		const text = await store.find(`${frontend}/${key}`);
		return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
	};
	const [state, eventChannel, ringRef] = await Promise.all(["state", "event-channel", "ring-ref"].map(number));
	return { disk, backendDomid, backendPath: backend, state, eventChannel, ringRef };
}
