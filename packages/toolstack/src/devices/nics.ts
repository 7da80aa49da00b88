import { DOM0, type DomId } from "@bulkhead/base";
import { connectNic, connectTap, type NicHost } from "./connect-nic.ts";
import { undoHotplugScript } from "./hotplug-script.ts";
import { writeNic } from "./publish.ts";
import { findBackendDomid, removeRecord } from "./record.ts";
import { type ServableNic, vifDevice } from "./vif.ts";
import { vifScriptCall } from "./vif-script.ts";
import { type Removal, removeXenbusDevice } from "./xenbus-removal.ts";

/** Sets up every nic of a domain whose nodes are written. */
export async function connectNics(
	host: NicHost,
	domid: DomId,
	nics: readonly ServableNic[],
	signal?: AbortSignal,
): Promise<void> {
	await Promise.all(nics.map((nic) => connectNic(host, domid, nic, signal)));
}

/** Sets up the taps of a guest whose QEMU runs in domain 0. */
export async function connectTaps(
	host: NicHost,
	domid: DomId,
	nics: readonly ServableNic[],
	signal?: AbortSignal,
): Promise<void> {
	const emulated = nics.filter(({ type }) => type === "ioemu");
	await Promise.all(emulated.map((nic) => connectTap(host, domid, nic, signal)));
}

/**
 * Runs the scripts of a domain's nics with `offline`, while their nodes are there. What fails is answered, not thrown:
 * a domain that is taken away does not stay for a script. Nics that no script set up have nothing to take back.
 */
export async function disconnectNics(host: NicHost, domid: DomId, nics: readonly ServableNic[]): Promise<string[]> {
	const problems = await Promise.all(nics.map((nic) => disconnectNic(host, domid, nic)));
	return problems.filter((problem) => problem !== undefined);
}

async function disconnectNic(host: NicHost, domid: DomId, nic: ServableNic): Promise<string | undefined> {
	if (nic.script === undefined || (await findBackendDomid(host.xenstore, vifDevice(domid, nic))) !== DOM0)
		return undefined;
	return undoHotplugScript(host, vifScriptCall({ domid, nic, action: "offline" }));
}

/**
 * Gives a running domain another nic. When it fails, or is cancelled, nothing of the nic is left.
 * @throws what connectNic throws
 */
export async function attachNic(host: NicHost, domid: DomId, nic: ServableNic, signal?: AbortSignal): Promise<void> {
	await host.xenstore.transaction((tx) => writeNic(tx, domid, nic), { signal });
	try {
		await connectNic(host, domid, nic, signal);
	} catch (error) {
		await detachNic(host, domid, nic, { force: true });
		throw error;
	}
}

/** Takes a nic away from a running domain, bounded in time whatever the domain does. Safe to repeat. */
export async function detachNic(
	host: NicHost,
	domid: DomId,
	nic: ServableNic,
	{ force, signal }: { force: boolean; signal?: AbortSignal },
): Promise<Removal> {
	const { xenstore } = host;
	// The number of the backend's domain is not in a config; the record has it.
	const backendDomid = await findBackendDomid(xenstore, vifDevice(domid, nic));
	const device = { ...vifDevice(domid, nic), backendDomid };
	const problems: string[] = [];
	const { forced, complaints } = await removeXenbusDevice(xenstore, device, {
		mode: force ? "force" : "auto",
		signal,
		onClosed: async () => {
			problems.push(...(await disconnectNics(host, domid, [nic])));
		},
	});
	await removeRecord(xenstore, device);
	return { forced, complaints: [...problems, ...complaints] };
}
