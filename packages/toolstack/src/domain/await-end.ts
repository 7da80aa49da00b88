import { DeadlineError, type DomId, delay } from "@bulkhead/base";
import type { DomainInfo } from "@bulkhead/hypervisor";
import type { ToolstackContext } from "../context.ts";

type Host = Pick<ToolstackContext, "xenstore" | "hypervisor">;

/**
 * Waits until a domain has shut down, is dying or is gone, and says which: "poweroff", "crash", "destroyed" …
 * @throws CancelledError when the signal aborts first
 */
export async function awaitDomainEnd(
	{ xenstore, hypervisor }: Host,
	domid: DomId,
	signal: AbortSignal,
): Promise<string> {
	for await (const _ of xenstore.watch("@releaseDomain", { signal })) {
		const end = endOf(await hypervisor.domains.find(domid));
		if (end) return end;
	}
	throw new DeadlineError(`Lost sight of domain ${domid}`);
}

/** How a domain ended, or undefined while it lives. */
export function endOf(info: DomainInfo | undefined): string | undefined {
	if (!info || info.dying) return "destroyed";
	return info.shutdown ? info.shutdownReason : undefined;
}

const POLL_MS = 20;

/**
 * Waits until Xen has let go of the last page. There is no event for that (a dying domain vanishes when its last
 * mapping does), so Xen is asked again and again until the deadline.
 */
export async function awaitDomainGone(
	{ hypervisor }: Pick<Host, "hypervisor">,
	domid: DomId,
	timeoutMs: number,
): Promise<void> {
	const limit = performance.now() + timeoutMs;
	while (await hypervisor.domains.find(domid)) {
		if (performance.now() > limit)
			throw new DeadlineError(`Domain ${domid} is still dying after ${timeoutMs} ms`, {
				remedy: "Some process or backend driver in domain 0 still maps its pages",
				fields: { domid },
			});
		await delay(POLL_MS);
	}
}
