import type { DomId, EvtchnPort } from "@bulkhead/base";

/** One bound event channel. After `close` (idempotent) the handler is never called again. */
export interface BoundEvtchn {
	/** Our local port. */
	readonly port: EvtchnPort;
	notify(): void;
	/** From now on the handler is not called. An event that comes is held back, and further ones cost nothing. Idempotent. */
	pause(): void;
	/** Events are listened to again. Answers whether one came meanwhile, for which the handler is not called any more. */
	resume(): boolean;
	close(): void;
}

/**
 * Event channels of this process on its event loop (one /dev/xen/evtchn). The handler runs after the port has been
 * unmasked, so an event that arrives while it runs calls it again: drain the ring, then return.
 */
export interface EventChannels {
	/** Binds to a port that `domid` offers us. @throws HypervisorError */
	bindInterdomain(domid: DomId, remotePort: EvtchnPort, onEvent: () => void): BoundEvtchn;
	/** Offers a new port of ours to `domid`. @throws HypervisorError */
	bindUnbound(domid: DomId, onEvent: () => void): BoundEvtchn;
	close(): void;
}
