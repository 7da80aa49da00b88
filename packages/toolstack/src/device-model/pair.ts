import type { DomId, Uuid } from "@bulkhead/base";
import type { XenstoreView } from "@bulkhead/xenstore";
import { writeNodes } from "../domain/node-tree.ts";
import { deviceModelPath, dmArgvPath, domainPath, vmPath } from "../domain/paths.ts";
import { ownedBy, readableBy } from "../domain/permissions.ts";

/** QEMU's arguments without argv[0]: one key for each, or one string for MiniOS. */
export type StubArguments = { protocol: "linux"; dmArgv: string[] } | { protocol: "minios"; dmargs: string };

export interface Pair {
	guest: { domid: DomId; uuid: Uuid };
	stub: DomId;
	args: StubArguments;
	/** "seabios" */
	bios: string;
	/** 32 bytes in hex, drawn for this stub domain: its kernel has nothing to gather entropy from when QEMU asks for some. */
	randomSeed: string;
}

/**
 * What a stub domain reads to become the device model of its guest (stubdom.txt, libxl__spawn_stub_dm): its arguments,
 * readable by the stub only; and a directory of its own to answer in. `random-seed` is our own.
 */
export function writePair(store: XenstoreView, { guest, stub, args, bios, randomSeed }: Pair): Promise<unknown> {
	return Promise.all([
		args.protocol === "linux"
			? writeDmArgv(store, guest.uuid, stub, args.dmArgv)
			: writeDmargs(store, guest.uuid, stub, args.dmargs),
		store.write(`${domainPath(guest.domid)}/image/device-model-domid`, stub),
		store.write(`${domainPath(stub)}/target`, guest.domid),
		...(args.protocol === "linux"
			? [
					store.write(`${domainPath(stub)}/random-seed`, randomSeed),
					store.write(`${domainPath(guest.domid)}/hvmloader/bios`, bios),
				]
			: []),
		// hvmloader of the older QEMU may move the guest's memory to make room for its devices (libxl of Xen 4.17).
		store.write(`${domainPath(guest.domid)}/hvmloader/allow-memory-relocate`, args.protocol === "linux" ? "0" : "1"),
		writeNodes(store, deviceModelPath(stub, guest.domid), { permissions: ownedBy(stub, guest.domid) }),
	]);
}

/** Linux: one key for each argument, numbered from 001. */
function writeDmArgv(store: XenstoreView, guest: Uuid, stub: DomId, dmArgv: readonly string[]): Promise<unknown> {
	const argv = Object.fromEntries(dmArgv.map((arg, index) => [`${index + 1}`.padStart(3, "0"), arg]));
	return writeNodes(store, dmArgvPath(guest), { permissions: readableBy(stub), children: argv });
}

/** MiniOS: one string, and the clock's offset, which its QEMU reads by itself: readable like the arguments. */
async function writeDmargs(store: XenstoreView, guest: Uuid, stub: DomId, dmargs: string): Promise<void> {
	const clock = `${vmPath(guest)}/rtc/timeoffset`;
	const offset = (await store.find(clock)) ?? "";
	await Promise.all([
		writeNodes(store, `${vmPath(guest)}/image/dmargs`, { value: dmargs, permissions: readableBy(stub) }),
		writeNodes(store, clock, { value: offset, permissions: readableBy(stub) }),
	]);
}
