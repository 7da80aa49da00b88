import type { DomId, GrantRef } from "@bulkhead/base";
import type { UnmapNotification } from "./grants.ts";

/** Zeroed pages of ours that another domain may map and write. */
export interface OfferedPages {
	/** Our look at them; of length 0 after `close`. */
	readonly buffer: ArrayBuffer;
	/** One for each page, in order. */
	readonly refs: readonly GrantRef[];
	/** Takes the grants back. Who has mapped the pages keeps them until it unmaps. Idempotent. */
	close(): void;
}

/** Memory of this process for other domains to map (gntalloc). */
export interface GrantOffers {
	/**
	 * @param options `onEnd`, for one page only: the byte to clear and the local port to notify when the offer ends,
	 *   also by the end of this process
	 * @throws HypervisorError
	 */
	offer(domid: DomId, pages: number, options?: { onEnd?: UnmapNotification }): OfferedPages;
	close(): void;
}
