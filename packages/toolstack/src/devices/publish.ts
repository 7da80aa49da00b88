import type { DomId } from "@bulkhead/base";
import type { XenstoreView } from "@bulkhead/xenstore";
import type { NicConfig } from "@bulkhead/xlcfg";
import { NO_SCREEN, type PvScreen } from "../device-model/pv-screen.ts";
import { type NodeTree, writeNodes } from "../domain/node-tree.ts";
import { type BackendKind, backendsPath, domainPath, frontendPath, recordPath } from "../domain/paths.ts";
import { hidden, readableBy } from "../domain/permissions.ts";
import { type DomainRuntime, provided } from "../runtime.ts";
import { bootConsole, consoleBackend, consoleFrontend } from "./console.ts";
import { writePvScreen } from "./pv-screen.ts";
import { type OpenDisk, vbdBackend, vbdFrontend } from "./vbd.ts";
import { vifBackend, vifFrontend, vifRecord } from "./vif.ts";

export interface DomainDevices {
	domain: DomainRuntime;
	disks: readonly OpenDisk[];
	/** Those of this domain (nicsOf). Default: none. */
	nics?: readonly NicConfig[];
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
		writeBackends(
			"vbd",
			disks.map((disk) => [disk.disk.devnum, vbdBackend(domid, disk)]),
		),
		...nics.map((nic) => writeVifFrontend(store, domid, nic)),
		writeBackends(
			"vif",
			nics.map((nic) => [nic.devid, vifBackend(domid, nic)]),
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

function writeVifFrontend(store: XenstoreView, domid: DomId, nic: NicConfig): Promise<unknown> {
	return Promise.all([
		writeNodes(store, frontendPath(domid, "vif", nic.devid), vifFrontend(domid, nic), readableBy(domid)),
		writeNodes(store, recordPath(domid, "vif", nic.devid), vifRecord(domid, nic), hidden),
	]);
}

/** Both ends of one nic of a domain that runs. */
export function writeNic(store: XenstoreView, domid: DomId, nic: NicConfig): Promise<unknown> {
	const backend = `${backendsPath(domid, "vif")}/${nic.devid}`;
	return Promise.all([
		writeVifFrontend(store, domid, nic),
		writeNodes(store, backend, { permissions: readableBy(domid), ...vifBackend(domid, nic) }),
	]);
}
