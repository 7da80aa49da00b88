import { DOM0, type DomId, domId } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { NodeTree } from "../domain/node-tree.ts";
import { toolstackPath } from "../domain/paths.ts";
import { removeIfEmpty } from "../domain/remove-nodes.ts";
import { type XenbusDevice, xenbusPaths } from "./xenbus-device.ts";
import { removeXenbusDevice } from "./xenbus-removal.ts";

/**
 * Where Xen's own tools look for a domain's devices (libxl: libxl__device_generic_add): both ends, and a copy of the
 * backend's keys. No other domain can read or write it, so it also tells us for certain where a backend is.
 */
export const recordOf = (device: XenbusDevice, backend: NodeTree): NodeTree => ({
	children: { ...backend.children, backend: xenbusPaths(device).backend },
});

export const recordPathOf = ({ domid, kind, devid }: XenbusDevice): string =>
	`${toolstackPath(domid)}/device/${kind}/${devid}`;

/** The domain that serves a device; domain 0 where nothing is written down. */
export async function findBackendDomid(
	store: Pick<XenstoreClient, "find">,
	device: Pick<XenbusDevice, "domid" | "kind" | "devid">,
): Promise<DomId> {
	const backend = await store.find(`${recordPathOf(device)}/backend`);
	const domid = /^\/local\/domain\/(\d{1,5})\/backend\//.exec(backend ?? "")?.[1];
	return domid === undefined ? DOM0 : domId(domid);
}

/** Every device of a domain that another one than domain 0 serves. */
async function findForeignDevices(
	store: Pick<XenstoreClient, "find" | "findList">,
	domid: DomId,
): Promise<XenbusDevice[]> {
	const devices: XenbusDevice[] = [];
	for (const kind of ["vbd", "vif"]) {
		for (const devid of (await store.findList(`${toolstackPath(domid)}/device/${kind}`)) ?? []) {
			const device = { domid, kind, devid: Number(devid) };
			const backendDomid = await findBackendDomid(store, device);
			if (backendDomid !== DOM0) devices.push({ ...device, backendDomid });
		}
	}
	return devices;
}

/** Takes them all away, bounded in time whatever the other domains do. Safe to repeat. */
export async function removeForeignDevices(store: XenstoreClient, domid: DomId): Promise<void> {
	const devices = await findForeignDevices(store, domid);
	await Promise.all(devices.map((device) => removeXenbusDevice(store, device, { mode: "force" })));
}

export async function removeRecord(store: XenstoreClient, device: XenbusDevice): Promise<void> {
	const record = recordPathOf(device);
	await store.transaction(async (tx) => {
		await tx.remove(record);
		for (const parent of [record.replace(/\/\d+$/, ""), `${toolstackPath(device.domid)}/device`])
			await removeIfEmpty(tx, parent);
	});
}
