import type { DomId, EvtchnPort, GrantRef } from "@bulkhead/base";

/**
 * Memory of another domain in ours. `unmap` (idempotent) detaches the buffer first, so a stale view reads length 0
 * and cannot fault.
 */
export interface MappedGrants {
	readonly buffer: ArrayBuffer;
	unmap(): void;
}

export interface UnmapNotification {
	/** This byte of the (single) page is cleared … */
	clearByteOffset: number;
	/** … and this local port notified, by the kernel, when the mapping goes: also when this process is killed. */
	notifyPort: EvtchnPort;
}

/** Mapping of pages that other domains granted to us (gntdev). */
export interface GrantMaps {
	/** Pages in the order of the references. @throws HypervisorError */
	map(
		domid: DomId,
		refs: readonly GrantRef[],
		options?: { writable?: boolean; onUnmap?: UnmapNotification },
	): MappedGrants;
	close(): void;
}
