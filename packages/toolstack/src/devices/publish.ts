import type { DomId } from "@bulkhead/base";
import type { XenstoreView } from "@bulkhead/xenstore";
import { NO_SCREEN, type PvScreen } from "../device-model/pv-screen.ts";
import { type NodeTree, writeNodes } from "../domain/node-tree.ts";
import { type BackendKind, backendsPath, domainPath, frontendPath, recordPath } from "../domain/paths.ts";
import { hidden, ownedBy, readableBy } from "../domain/permissions.ts";
import { type DomainRuntime, provided } from "../runtime.ts";
import { bootConsole, consoleBackend, consoleFrontend } from "./console.ts";
import { writePvScreen } from "./pv-screen.ts";
import { type OpenDisk, vbdBackend, vbdDevice, vbdFrontend, vbdRecord } from "./vbd.ts";
import { type ServableNic, vifBackend, vifDevice, vifFrontend, vifRecord } from "./vif.ts";
import { type XenbusDevice, xenbusPaths } from "./xenbus-device.ts";

export interface DomainDevices {
	domain: DomainRuntime;
	disks: readonly OpenDisk[];
	/** Those of this domain (nicsOf). Default: none. */
	nics?: readonly ServableNic[];
	/** Numbers of PV consoles. */
	consoles: readonly number[];
	/** Default: none. */
	screen?: PvScreen;
}

/** Both ends of all devices of a domain that has none yet. */
export function writeDevices(
	store: XenstoreView,
	{ domain, disks, nics = [], consoles, screen = NO_SCREEN }: DomainDevices,
): Promise<unknown> {
	const domid = provided(domain.domid, "domid");
	const readable = readableBy(domid);
	const xenbusConsoles = consoles.filter((index) => index > 0);
	const ownDisks = disks.filter(({ disk }) => disk.backendDomid === undefined);
	const ownNics = nics.filter(({ backendDomid }) => backendDomid === undefined);
	const writeBackends = (
		kind: BackendKind,
		backends: [devid: number, backend: NodeTree][],
	): Promise<unknown> | undefined =>
		backends.length === 0
			? undefined
			: writeNodes(store, backendsPath(domid, kind), { permissions: readable, children: Object.fromEntries(backends) });
	return Promise.all([
		...disks.map((disk) =>
			writeNodes(store, frontendPath(domid, "vbd", disk.disk.devnum), vbdFrontend(domid, disk), readable),
		),
		...disks.filter((disk) => !ownDisks.includes(disk)).map((disk) => writeForeignDisk(store, domid, disk)),
		writeBackends(
			"vbd",
			ownDisks.map((disk) => [disk.disk.devnum, vbdBackend(domid, disk)]),
		),
		...nics.map((nic) => writeVifFrontend(store, domid, nic)),
		...nics.filter((nic) => !ownNics.includes(nic)).map((nic) => writeVifBackend(store, domid, nic)),
		writeBackends(
			"vif",
			ownNics.map((nic) => [nic.devid, vifBackend(domid, nic)]),
		),
		consoles.includes(0) ? writeNodes(store, `${domainPath(domid)}/console`, bootConsole(domain), readable) : undefined,
		...xenbusConsoles.map((index) =>
			writeNodes(store, frontendPath(domid, "console", index), consoleFrontend(domid, index), readable),
		),
		writeBackends(
			"console",
			xenbusConsoles.map((index) => [index, consoleBackend(domid, index)]),
		),
		writePvScreen(store, domid, screen),
	]);
}

function writeVifFrontend(store: XenstoreView, domid: DomId, nic: ServableNic): Promise<unknown> {
	return Promise.all([
		writeNodes(store, frontendPath(domid, "vif", nic.devid), vifFrontend(domid, nic), readableBy(domid)),
		writeNodes(store, recordPath(domid, "vif", nic.devid), vifRecord(domid, nic), hidden),
	]);
}

const writeVifBackend = (store: XenstoreView, domid: DomId, nic: ServableNic): Promise<unknown> =>
	writeBackend(store, vifDevice(domid, nic), vifBackend(domid, nic));

/** A disk that another domain serves has a record, too: it tells where its backend is when nobody remembers. */
const writeForeignDisk = (store: XenstoreView, domid: DomId, disk: OpenDisk): Promise<unknown> =>
	Promise.all([
		writeBackend(store, vbdDevice(domid, disk.disk), vbdBackend(domid, disk)),
		writeNodes(store, recordPath(domid, "vbd", disk.disk.devnum), vbdRecord(domid, disk), hidden),
	]);

/** A backend's directory is its own domain's. */
function writeBackend(store: XenstoreView, device: XenbusDevice, backend: NodeTree): Promise<unknown> {
	const { domid, backendDomid } = device;
	const permissions = backendDomid === undefined ? readableBy(domid) : ownedBy(backendDomid, domid);
	return writeNodes(store, xenbusPaths(device).backend, { permissions, ...backend });
}

/** Both ends of one nic of a domain that runs. */
export const writeNic = (store: XenstoreView, domid: DomId, nic: ServableNic): Promise<unknown> =>
	Promise.all([writeVifFrontend(store, domid, nic), writeVifBackend(store, domid, nic)]);
