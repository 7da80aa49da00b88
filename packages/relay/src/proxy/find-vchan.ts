import { type DomId, type EvtchnPort, evtchnPort, type GrantRef, grantRef, ProtocolError } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";

export interface FindVchan {
	store: XenstoreClient;
	domid: DomId;
	nodePath: string;
	timeoutMs: number;
	signal: AbortSignal;
}

/**
 * What the server has published, once it has. The nodes must be the serving domain's own.
 * @throws DeadlineError, CancelledError, ProtocolError, InvalidInputError for numbers that are none
 */
export async function findVchan(options: FindVchan): Promise<{ ringRef: GrantRef; remotePort: EvtchnPort }> {
	const { store, domid, nodePath, timeoutMs, signal } = options;
	const [ringPath, portPath] = [`${nodePath}/ring-ref`, `${nodePath}/event-channel`];
	const what = `the vchan of domain ${domid}`;
	// 0 stands for none, as libxenvchan has it.
	const isThere = (value: string | undefined): boolean => value !== undefined && value !== "0";
	const port = await store.waitFor(portPath, isThere, { timeoutMs, signal, what });
	const ref = await store.waitFor(ringPath, isThere, { timeoutMs, signal, what });
	for (const path of [ringPath, portPath]) {
		const [owner] = await store.permissions(path, { signal });
		if (owner?.domid !== domid)
			throw new ProtocolError(`Node ${path} belongs to another domain`, { fields: { path, owner: owner?.domid } });
	}
	return { ringRef: grantRef(ref ?? ""), remotePort: evtchnPort(port ?? "") };
}
