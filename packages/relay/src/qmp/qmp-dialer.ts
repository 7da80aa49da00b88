import type { QmpPlace } from "@bulkhead/api/relay";
import type { QmpVersion } from "@bulkhead/qmp";

export type { QmpPlace };

export interface QmpEvent {
	event: string;
	data?: unknown;
	/** Milliseconds since 1970 by QEMU's clock. */
	timestamp?: number;
}

/** A negotiated session with a QEMU. */
export interface QmpConnection {
	/** What QEMU says of itself: nothing to rely on. */
	readonly version: QmpVersion;
	execute(
		command: string,
		args: Record<string, unknown> | undefined,
		options: { timeoutMs: number; oob?: boolean },
	): Promise<unknown>;
	/** Idempotent; `onClosed` is not called for it. */
	close(): void;
}

/** One attempt to reach a QEMU: ring or socket, greeting, negotiation. Holds nothing when it fails. */
export type QmpDialer = (
	place: QmpPlace,
	options: {
		timeoutMs: number;
		signal: AbortSignal;
		onEvent: (event: QmpEvent) => void;
		/** The session is over, not by `close`. */
		onClosed: (error: Error) => void;
	},
) => Promise<QmpConnection>;
