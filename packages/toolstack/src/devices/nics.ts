import { CancelledError, type DomId, serializeError } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { NicConfig } from "@bulkhead/xlcfg";
import { backendPath, recordPath, toolstackPath } from "../domain/paths.ts";
import { removeIfEmpty } from "../domain/remove-nodes.ts";
import { connectNic, connectTap, type NicHost } from "./connect-nic.ts";
import { writeNic } from "./publish.ts";
import { runVifScript } from "./vif-script.ts";
import { type Removal, removeXenbusDevice } from "./xenbus-removal.ts";

/** Sets up every nic of a domain whose nodes are written. */
export async function connectNics(
	host: NicHost,
	domid: DomId,
	nics: readonly NicConfig[],
	signal?: AbortSignal,
): Promise<void> {
	await Promise.all(nics.map((nic) => connectNic(host, domid, nic, signal)));
}

/** Sets up the taps of a guest whose QEMU runs in domain 0. */
export async function connectTaps(
	host: NicHost,
	domid: DomId,
	nics: readonly NicConfig[],
	signal?: AbortSignal,
): Promise<void> {
	const emulated = nics.filter(({ type }) => type === "ioemu");
	await Promise.all(emulated.map((nic) => connectTap(host, domid, nic, signal)));
}

/**
 * Runs the scripts of a domain's nics with `offline`, while their nodes are there. What fails is answered, not thrown:
 * a domain that is taken away does not stay for a script. Nics that no script set up have nothing to take back.
 */
export async function disconnectNics(host: NicHost, domid: DomId, nics: readonly NicConfig[]): Promise<string[]> {
	const problems = await Promise.all(nics.map((nic) => disconnectNic(host, domid, nic)));
	return problems.filter((problem) => problem !== undefined);
}

async function disconnectNic(host: NicHost, domid: DomId, nic: NicConfig): Promise<string | undefined> {
	if (nic.script === undefined) return undefined;
	// The backend's directory is domain 0's own: this is the path that was checked and run when the nic was set up.
	const script = await host.xenstore.find(`${backendPath(domid, "vif", nic.devid)}/script`);
	if (script === undefined || !script.startsWith("/")) return undefined;
	try {
		await runVifScript(host, { domid, nic: { ...nic, script }, action: "offline" });
		return undefined;
	} catch (error) {
		if (error instanceof CancelledError) throw error;
		return serializeError(error).message;
	}
}

/**
 * Gives a running domain another nic. When it fails, or is cancelled, nothing of the nic is left.
 * @throws what connectNic throws
 */
export async function attachNic(host: NicHost, domid: DomId, nic: NicConfig, signal?: AbortSignal): Promise<void> {
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
	nic: NicConfig,
	{ force, signal }: { force: boolean; signal?: AbortSignal },
): Promise<Removal> {
	const { xenstore } = host;
	const device = { domid, kind: "vif", devid: nic.devid };
	const problems: string[] = [];
	const { forced, complaints } = await removeXenbusDevice(xenstore, device, {
		mode: force ? "force" : "auto",
		signal,
		onClosed: async () => {
			problems.push(...(await disconnectNics(host, domid, [nic])));
		},
	});
	await removeRecord(xenstore, domid, nic.devid);
	return { forced, complaints: [...problems, ...complaints] };
}

async function removeRecord(store: XenstoreClient, domid: DomId, devid: number): Promise<void> {
	const record = recordPath(domid, "vif", devid);
	await store.transaction(async (tx) => {
		await tx.remove(record);
		for (const parent of [record.replace(/\/\d+$/, ""), `${toolstackPath(domid)}/device`])
			await removeIfEmpty(tx, parent);
	});
}
