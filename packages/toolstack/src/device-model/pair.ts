import type { DomId, Uuid } from "@bulkhead/base";
import type { XenstoreView } from "@bulkhead/xenstore";
import { writeNodes } from "../domain/node-tree.ts";
import { deviceModelPath, dmArgvPath, domainPath } from "../domain/paths.ts";
import { ownedBy, readableBy } from "../domain/permissions.ts";

export interface Pair {
	guest: { domid: DomId; uuid: Uuid };
	stub: DomId;
	/** QEMU's arguments without argv[0]. */
	dmArgv: string[];
	/** "seabios" */
	bios: string;
	/** 32 bytes in hex, drawn for this stub domain: its kernel has nothing to gather entropy from when QEMU asks for some. */
	randomSeed: string;
}

/**
 * What a Linux stub domain reads to become the device model of its guest (stubdom.txt): one key for each argument,
 * numbered from 001, readable by the stub only; and a directory of its own to answer in. `random-seed` is our own.
 */
export function writePair(store: XenstoreView, { guest, stub, dmArgv, bios, randomSeed }: Pair): Promise<unknown> {
	const argv = Object.fromEntries(dmArgv.map((arg, index) => [`${index + 1}`.padStart(3, "0"), arg]));
	return Promise.all([
		writeNodes(store, dmArgvPath(guest.uuid), { permissions: readableBy(stub), children: argv }),
		store.write(`${domainPath(guest.domid)}/image/device-model-domid`, stub),
		store.write(`${domainPath(stub)}/target`, guest.domid),
		store.write(`${domainPath(stub)}/random-seed`, randomSeed),
		store.write(`${domainPath(guest.domid)}/hvmloader/bios`, bios),
		store.write(`${domainPath(guest.domid)}/hvmloader/allow-memory-relocate`, "0"),
		writeNodes(store, deviceModelPath(stub, guest.domid), { permissions: ownedBy(stub, guest.domid) }),
	]);
}
