import type { DomId } from "@bulkhead/base";
import type { XenstoreClient, XenstoreValue, XenstoreView } from "@bulkhead/xenstore";
import type { PciDeviceConfig } from "@bulkhead/xlcfg";
import { frontend, XENBUS_STATE } from "../devices/xenbus.ts";
import { writeNodes } from "../domain/node-tree.ts";
import { backendPath, frontendPath } from "../domain/paths.ts";
import { readableBy } from "../domain/permissions.ts";

/** A domain has one PCI device on xenbus, a bus with all of its functions (libxl: libxl__create_pci_backend). */
const DEVID = 0;
/** libxl's LIBXL_DESTROY_TIMEOUT. */
const CONNECTED_MS = 10_000;
/** io/xenbus.h: what both ends go through when a function comes or goes. */
const RECONFIGURING = 7;
const MOST_FUNCTIONS = 256;
const KEYS = ["key", "dev", "vdevfn", "opts", "state", "name"] as const;

/** One function of a guest's. */
export interface PciFunction {
	address: string;
	device: PciDeviceConfig;
	/** Where it is on the guest's bus: slot << 3 | function. */
	vdevfn?: number;
}

const busPath = (domid: DomId): string => backendPath(domid, "pci", DEVID);

/** Adds functions to a domain's bus, which the first ones bring into being. */
export async function addPciNodes(
	store: XenstoreClient,
	domid: DomId,
	functions: readonly PciFunction[],
	{ starting }: { starting: boolean },
): Promise<void> {
	const path = busPath(domid);
	if (!starting && (await store.find(`${path}/num_devs`)) !== undefined) await awaitConnected(store, domid);
	await store.transaction(async (tx) => {
		const there = await countOf(tx, path);
		if (there === 0) await writeBus(tx, domid);
		const keys = functions.flatMap((each, at) => Object.entries(functionKeys(each, there + at)));
		for (const [key, value] of keys) await tx.write(`${path}/${key}`, value);
		await tx.write(`${path}/num_devs`, there + functions.length);
		if (there > 0 && !starting) await tx.write(`${path}/state`, RECONFIGURING);
	});
}

function functionKeys({ address, device, vdevfn }: PciFunction, at: number): Record<string, XenstoreValue> {
	const { msiTranslate, powerManagement, permissive, rdmPolicy = "strict", name } = device;
	const options = { msitranslate: msiTranslate, power_mgmt: powerManagement, permissive };
	const flags = Object.entries(options).map(([key, on]) => `${key}=${Number(on)}`);
	return {
		[`key-${at}`]: address,
		[`dev-${at}`]: address,
		...(vdevfn === undefined ? {} : { [`vdevfn-${at}`]: vdevfn.toString(16) }),
		...(name === undefined ? {} : { [`name-${at}`]: name }),
		[`opts-${at}`]: [...flags, `rdm_policy=${rdmPolicy}`].join(","),
		[`state-${at}`]: XENBUS_STATE.initialising,
	};
}

async function writeBus(store: XenstoreView, domid: DomId): Promise<void> {
	const path = busPath(domid);
	await store.remove(path);
	await writeNodes(store, path, {
		permissions: readableBy(domid),
		children: {
			frontend: frontendPath(domid, "pci", DEVID),
			"frontend-id": domid,
			online: 1,
			state: XENBUS_STATE.initialising,
		},
	});
	const tree = frontend(domid, path, { state: XENBUS_STATE.initialising });
	await writeNodes(store, frontendPath(domid, "pci", DEVID), tree, readableBy(domid));
}

/** Takes a function off the bus of a domain that runs; a PV guest's driver gives it up first. @throws DeadlineError */
export async function removePciNodes(
	store: XenstoreClient,
	domid: DomId,
	address: string,
	{ ask }: { ask: boolean },
): Promise<void> {
	const path = busPath(domid);
	const at = await placeOf(store, path, address);
	if (at === undefined) return;
	if (ask) {
		await awaitConnected(store, domid);
		await store.transaction(async (tx) => {
			await tx.write(`${path}/state-${at}`, XENBUS_STATE.closing);
			await tx.write(`${path}/state`, RECONFIGURING);
		});
		await awaitConnected(store, domid);
	}
	await store.transaction(async (tx) => {
		const count = await countOf(tx, path);
		for (let from = at + 1; from < count; from++)
			for (const key of KEYS) {
				const value = await tx.find(`${path}/${key}-${from}`);
				if (value === undefined) await tx.remove(`${path}/${key}-${from - 1}`);
				else await tx.write(`${path}/${key}-${from - 1}`, value);
			}
		for (const key of KEYS) await tx.remove(`${path}/${key}-${count - 1}`);
		await tx.write(`${path}/num_devs`, count - 1);
	});
}

const awaitConnected = (store: XenstoreClient, domid: DomId): Promise<unknown> =>
	store.waitFor(`${busPath(domid)}/state`, (state) => state === `${XENBUS_STATE.connected}`, {
		timeoutMs: CONNECTED_MS,
		what: "the guest's PCI driver",
	});

async function placeOf(store: XenstoreView, path: string, address: string): Promise<number | undefined> {
	const count = await countOf(store, path);
	for (let at = 0; at < count; at++) if ((await store.find(`${path}/dev-${at}`)) === address) return at;
	return undefined;
}

async function countOf(store: XenstoreView, path: string): Promise<number> {
	const text = (await store.find(`${path}/num_devs`)) ?? "0";
	return /^\d{1,3}$/.test(text) ? Math.min(Number(text), MOST_FUNCTIONS) : 0;
}
