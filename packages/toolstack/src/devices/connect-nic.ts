import { DeadlineError, type DomId, delay, printable } from "@bulkhead/base";
import type { Hypervisor, NetworkLinks } from "@bulkhead/hypervisor";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { NicConfig } from "@bulkhead/xlcfg";
import { NicError } from "../errors.ts";
import { backendPath } from "../domain/paths.ts";
import { runVifScript } from "./vif-script.ts";
import { netbackName } from "./vif.ts";
import { XENBUS_STATE } from "./xenbus.ts";
import { readDriverErrors } from "./xenbus-errors.ts";

/** libxl's LIBXL_INIT_TIMEOUT is 10 s; an emulated host is slower. */
const BACKEND_TIMEOUT_MS = 20_000;
const POLL_MS = 10;

export interface NicHost {
	xenstore: XenstoreClient;
	hypervisor: Pick<Hypervisor, "links" | "scripts">;
}

/**
 * Sets up what netback has made for a nic: joins the interface to its bridge, or runs the nic's script. Which bridge,
 * name and script is the config's word, never that of a node which a guest can write.
 * @throws NicError, DeadlineError, CancelledError, HypervisorError
 */
export async function connectNic(host: NicHost, domid: DomId, nic: NicConfig, signal?: AbortSignal): Promise<void> {
	await awaitBackend(host.xenstore, domid, nic, signal);
	if (nic.script !== undefined) {
		await runVifScript(host, { domid, nic, action: "online", signal });
		return;
	}
	const { links } = host.hypervisor;
	const name = await awaitInterface(links, domid, nic, signal);
	const { mtu, bridge } = nic;
	if (mtu !== undefined && (await links.find(name))?.mtu !== mtu) await links.setMtu(name, mtu);
	if (bridge !== undefined) await links.joinBridge(name, bridge);
	await links.bringUp(name);
	await host.xenstore.write(`${backendPath(domid, "vif", nic.devid)}/hotplug-status`, "connected", { signal });
}

/** netback waits for its frontend (InitWait), or has one already. */
async function awaitBackend(
	store: XenstoreClient,
	domid: DomId,
	{ devid }: NicConfig,
	signal: AbortSignal | undefined,
): Promise<void> {
	const path = `${backendPath(domid, "vif", devid)}/state`;
	const begun = (state: string | undefined): boolean => state !== `${XENBUS_STATE.initialising}`;
	let state: string | undefined;
	try {
		const what = `domain 0's network driver to take nic ${devid}`;
		state = await store.waitFor(path, begun, { timeoutMs: BACKEND_TIMEOUT_MS, signal, what });
	} catch (error) {
		if (!(error instanceof DeadlineError)) throw error;
		throw new NicError(`Domain 0's network driver did not take nic ${devid}`, {
			cause: error,
			remedy: "Load the module xen-netback in domain 0",
			fields: { domid, devid, errors: await readDriverErrors(store, { domid, kind: "vif", devid }) },
		});
	}
	if (state === `${XENBUS_STATE.initWait}` || state === `${XENBUS_STATE.connected}`) return;
	const errors = await readDriverErrors(store, { domid, kind: "vif", devid });
	throw new NicError(`Domain 0's network driver refuses nic ${devid}: ${errors[0] ?? "it gives no reason"}`, {
		remedy: "See `dmesg` in domain 0",
		fields: { domid, devid, state: printable(state ?? "none", 16), errors },
	});
}

/** The kernel makes the interface soon after it says InitWait, and tells nobody. @returns its name, as it is to be */
async function awaitInterface(
	links: NetworkLinks,
	domid: DomId,
	{ devid, interfaceName }: NicConfig,
	signal: AbortSignal | undefined,
): Promise<string> {
	const name = netbackName(domid, devid);
	const limit = performance.now() + BACKEND_TIMEOUT_MS;
	while ((await links.find(name)) === undefined) {
		// A daemon that was killed in between had renamed it.
		if (interfaceName !== undefined && (await links.find(interfaceName)) !== undefined) return interfaceName;
		if (performance.now() > limit)
			throw new DeadlineError(`Interface ${name} did not appear within ${BACKEND_TIMEOUT_MS} ms`, {
				remedy: "See `dmesg` in domain 0 for what xen-netback says",
				fields: { domid, devid },
			});
		await delay(POLL_MS, signal);
	}
	if (interfaceName === undefined) return name;
	await links.rename(name, interfaceName);
	return interfaceName;
}
