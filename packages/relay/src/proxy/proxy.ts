import type { DomId } from "@bulkhead/base";
import type { GrantOffers, RingHost } from "@bulkhead/hypervisor";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { ProxyOptions } from "./options.ts";

/** What a proxy runs on. */
export interface ProxyParts {
	options: ProxyOptions;
	store: XenstoreClient;
	rings: Pick<RingHost, "evtchns" | "grants">;
	/** Of a server. */
	offers: () => GrantOffers;
	/** Lines for a person. */
	tell: (line: string) => void;
	/** Aborts when the proxy is to end. */
	signal: AbortSignal;
}

/** Tells whoever started the proxy that it can be connected to. */
export async function announce({ options: { statePath }, store }: ProxyParts): Promise<void> {
	if (statePath !== undefined) await store.write(statePath, "running");
}

/** Aborts when the domain is gone; no event of its rings tells that. */
export function untilGone(store: XenstoreClient, domid: DomId, signal: AbortSignal): AbortSignal {
	const gone = new AbortController();
	const watch = async (): Promise<void> => {
		for await (const _ of store.watch("@releaseDomain", { signal }))
			if (!(await store.isIntroduced(domid, { signal }))) {
				gone.abort(new Error(`Domain ${domid} is gone`));
				return;
			}
	};
	// xenstored is lost, or we are asked to end: then there is no more to learn.
	watch().catch((error: unknown) => gone.abort(error));
	return gone.signal;
}
