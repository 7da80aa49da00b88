import { BulkheadError, CancelledError, DOM0, type DomId, delay } from "@bulkhead/base";
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
 * Watches from outside how a guest and its stub domain come into being, whoever makes them: Xen's list of domains until
 * the stub is unpaused, then xenstore's word of its QEMU. The only new PV domain is the stub.
 */
export async function watchCreate(
	{ domains, xenstore }: Dom0,
	known: ReadonlySet<DomId>,
	sinceMs: number,
	signal: AbortSignal,
): Promise<CreateMarks> {
	const now = (): number => performance.now() - sinceMs;
	let firstDomainMs: number | undefined;
	let secondDomainMs: number | undefined;
	for (;;) {
		if (signal.aborted) throw new CancelledError("Stopped watching a create", { cause: signal.reason });
		const fresh = (await domains.list()).filter(({ domid }) => !known.has(domid));
		if (fresh.length > 0) firstDomainMs ??= now();
		if (fresh.length > 1) secondDomainMs ??= now();
		const stub = fresh.find(({ type }) => type === "pv");
		const guest = fresh.find(({ type }) => type !== "pv");
		if (fresh.length > 2)
			throw new BulkheadError("not-alone", "Somebody else creates domains: the times are worthless");
		if (stub && guest && !stub.paused && firstDomainMs !== undefined && secondDomainMs !== undefined) {
			const stubUnpausedMs = now();
			await awaitQemu(xenstore, stub, guest, signal);
			const qemuRunningMs = now();
			return {
				firstDomainMs,
				secondDomainMs,
				stubUnpausedMs,
				qemuRunningMs,
				guest: guest.domid,
				stub: stub.domid,
			};
		}
		await delay(POLL_MS, signal);
	}
}

async function awaitQemu(
	xenstore: XenstoreClient,
	stub: DomainInfo,
	guest: DomainInfo,
	signal: AbortSignal,
): Promise<void> {
	await xenstore.waitFor(
		`/local/domain/${stub.domid}/device-model/${guest.domid}/state`,
		(state) => state === "running",
		{ timeoutMs: QEMU_TIMEOUT_MS, signal, what: "QEMU in the stub domain" },
	);
}

/** Waits until Xen has none of these domains. */
export async function awaitGone({ domains }: Dom0, domids: readonly DomId[], signal: AbortSignal): Promise<void> {
	while ((await domains.list()).some(({ domid }) => domids.includes(domid))) await delay(POLL_MS, signal);
}

export async function listDomids({ domains }: Dom0): Promise<Set<DomId>> {
	return new Set([DOM0, ...(await domains.list()).map(({ domid }) => domid)]);
}
