import { type DomId, delay } from "@bulkhead/base";
import type { Hypervisor, NetworkLinks } from "@bulkhead/hypervisor";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { NicConfig } from "@bulkhead/xlcfg";
import { backendPath } from "../domain/paths.ts";
import { DeviceError } from "../errors.ts";
import { awaitBackend } from "./await-backend.ts";
import { netbackName, type ServableNic, TAP_SUFFIX, vifDevice } from "./vif.ts";
import { runVifScript } from "./vif-script.ts";

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
 * @throws DeviceError, DeadlineError, CancelledError, HypervisorError
 */
export async function connectNic(host: NicHost, domid: DomId, nic: ServableNic, signal?: AbortSignal): Promise<void> {
	await awaitBackend(host.xenstore, vifDevice(domid, nic), { timeoutMs: BACKEND_TIMEOUT_MS, signal });
	// Interface and script are that domain's own business (libxl: xl devd).
	if (nic.backendDomid !== undefined) return;
	const { links } = host.hypervisor;
	if (nic.script !== undefined) {
		// Renaming is the script's business, too.
		await awaitInterface(links, domid, { devid: nic.devid }, signal);
		await runVifScript(host, { domid, nic, action: "online", signal });
		return;
	}
	await setUp(links, await awaitInterface(links, domid, nic, signal), nic);
	await host.xenstore.write(`${backendPath(domid, "vif", nic.devid)}/hotplug-status`, "connected", { signal });
}

/**
 * Sets up the tap that a QEMU in domain 0 has made for a nic's emulated card: it runs already. A script is called a second
 * time for it, as libxl does. @throws DeviceError, DeadlineError, CancelledError, HypervisorError
 */
export async function connectTap(host: NicHost, domid: DomId, nic: NicConfig, signal?: AbortSignal): Promise<void> {
	const { links } = host.hypervisor;
	const name = `${netbackName(domid, nic.devid)}${TAP_SUFFIX}`;
	await awaitLink(links, name, signal);
	if (nic.script !== undefined) await runVifScript(host, { domid, nic, action: "add", signal });
	else await setUp(links, name, nic);
}

async function setUp(links: NetworkLinks, name: string, { mtu, bridge }: NicConfig): Promise<void> {
	if (mtu !== undefined && (await links.find(name))?.mtu !== mtu) await links.setMtu(name, mtu);
	if (bridge !== undefined) await links.joinBridge(name, bridge);
	await links.bringUp(name);
}

/** The kernel makes the interface soon after it says InitWait, and tells nobody. @returns its name, as it is to be */
async function awaitInterface(
	links: NetworkLinks,
	domid: DomId,
	{ devid, interfaceName }: Pick<NicConfig, "devid" | "interfaceName">,
	signal: AbortSignal | undefined,
): Promise<string> {
	const name = netbackName(domid, devid);
	// A daemon that was killed in between had renamed it.
	if (interfaceName !== undefined && (await links.find(interfaceName)) !== undefined) return interfaceName;
	await awaitLink(links, name, signal);
	if (interfaceName === undefined) return name;
	await links.rename(name, interfaceName);
	return interfaceName;
}

/** There is no event for it: the kernel is asked again and again until the deadline. @throws DeviceError, CancelledError */
async function awaitLink(links: NetworkLinks, name: string, signal: AbortSignal | undefined): Promise<void> {
	const limit = performance.now() + BACKEND_TIMEOUT_MS;
	while ((await links.find(name)) === undefined) {
		if (performance.now() > limit)
			throw new DeviceError(`Interface ${name} did not appear within ${BACKEND_TIMEOUT_MS} ms`, {
				remedy: "See `dmesg` in domain 0 for what its driver says",
				fields: { name },
			});
		await delay(POLL_MS, signal);
	}
}
