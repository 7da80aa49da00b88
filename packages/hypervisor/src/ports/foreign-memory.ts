import type { DomId } from "@bulkhead/base";

/** Mapping of a domain's frames by privilege, not by grant (libxenforeignmemory). */
export interface ForeignMemory {
	/** @throws HypervisorError when any frame cannot be mapped */
	map(domid: DomId, frames: readonly number[], options?: { writable?: boolean }): MappedFrames;
	close(): void;
}

export interface MappedFrames {
	readonly buffer: ArrayBuffer;
	/** Detaches the buffer, then unmaps. Idempotent. */
	unmap(): void;
}
