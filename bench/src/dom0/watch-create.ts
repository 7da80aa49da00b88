import { DOM0, type DomId, delay } from "@bulkhead/base";
import type { DomainInfo, Domains } from "@bulkhead/hypervisor";
import type { XenstoreClient } from "@bulkhead/xenstore";

export interface Dom0 {
	domains: Domains;
	xenstore: XenstoreClient;
}

export interface CreateMarks {
	firstDomainMs: number;
	secondDomainMs: number;
	stubUnpausedMs: number;
	qemuRunningMs: number;
	guest: DomId;
	stub: DomId;
}

/** Xen tells nobody that a domain was unpaused: it is asked this often, and no more once the stub domain runs. */
const POLL_MS = 10;
const QEMU_TIMEOUT_MS = 180_000;

/**
 * Watches from outside how the guest `name` and its stub domain come into being, whoever makes them: Xen's list of
 * domains until the stub is unpaused, then xenstore's word of its QEMU.
 */
export async function watchCreate(
	dom0: Dom0,
	{ name, known, sinceMs, signal }: { name: string; known: ReadonlySet<DomId>; sinceMs: number; signal: AbortSignal },
): Promise<CreateMarks> {
	const now = (): number => performance.now() - sinceMs;
	const seen = new Map<DomId, number>();
	const names = new Map<DomId, string>();
	for (;;) {
		const fresh = (await dom0.domains.list()).filter(({ domid }) => !known.has(domid));
		const at = now();
		for (const { domid } of fresh) if (!seen.has(domid)) seen.set(domid, at);
		await readNames(dom0.xenstore, fresh, names);
		const guest = fresh.find(({ domid }) => names.get(domid) === name)?.domid;
		const stub = fresh.find(({ domid }) => names.get(domid) === `${name}-dm`);
		if (guest !== undefined && stub && !stub.paused) {
			await awaitQemu(dom0.xenstore, stub.domid, guest, signal);
			const qemuRunningMs = now();
			const [firstDomainMs = at, secondDomainMs = at] = [seen.get(guest) ?? at, seen.get(stub.domid) ?? at].sort(
				(a, b) => a - b,
			);
			return { firstDomainMs, secondDomainMs, stubUnpausedMs: at, qemuRunningMs, guest, stub: stub.domid };
		}
		await delay(POLL_MS, signal);
	}
}

/** A name is written soon after a domain is made; it is read until it is there, and never again. */
async function readNames(
	xenstore: XenstoreClient,
	fresh: readonly DomainInfo[],
	names: Map<DomId, string>,
): Promise<void> {
	for (const { domid } of fresh) {
		if (names.has(domid)) continue;
		const name = await xenstore.find(`/local/domain/${domid}/name`);
		if (name) names.set(domid, name);
	}
}

async function awaitQemu(xenstore: XenstoreClient, stub: DomId, guest: DomId, signal: AbortSignal): Promise<void> {
	await xenstore.waitFor(`/local/domain/${stub}/device-model/${guest}/state`, (state) => state === "running", {
		timeoutMs: QEMU_TIMEOUT_MS,
		signal,
		what: "QEMU in the stub domain",
	});
}

/** Waits until Xen has none of these domains. */
export async function awaitGone({ domains }: Dom0, domids: readonly DomId[], signal: AbortSignal): Promise<void> {
	while ((await domains.list()).some(({ domid }) => domids.includes(domid))) await delay(POLL_MS, signal);
}

export async function listDomids({ domains }: Dom0): Promise<Set<DomId>> {
	return new Set([DOM0, ...(await domains.list()).map(({ domid }) => domid)]);
}
