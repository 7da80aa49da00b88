import type { XenstoreView } from "@bulkhead/xenstore";
import { type NodeTree, writeNodes } from "../domain/node-tree.ts";
import { type BackendKind, backendsPath, domainPath, frontendPath } from "../domain/paths.ts";
import { readableBy } from "../domain/permissions.ts";
import { type DomainRuntime, provided } from "../runtime.ts";
import { bootConsole, consoleBackend, consoleFrontend } from "./console.ts";
import { type OpenDisk, vbdBackend, vbdFrontend } from "./vbd.ts";

export interface DomainDevices {
	domain: DomainRuntime;
	disks: readonly OpenDisk[];
	/** Numbers of PV consoles. */
	consoles: readonly number[];
}

/** Both ends of all devices of a domain that has none yet. */
export function writeDevices(store: XenstoreView, { domain, disks, consoles }: DomainDevices): Promise<unknown> {
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
		consoles.includes(0) ? writeNodes(store, `${domainPath(domid)}/console`, bootConsole(domain), readable) : undefined,
		...xenbusConsoles.map((index) =>
			writeNodes(store, frontendPath(domid, "console", index), consoleFrontend(domid, index), readable),
		),
		writeBackends(
			"console",
			xenbusConsoles.map((index) => [index, consoleBackend(domid, index)]),
		),
	]);
}
