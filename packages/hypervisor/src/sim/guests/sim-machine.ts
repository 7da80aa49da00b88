import type { DomId, EvtchnPort, GrantRef } from "@bulkhead/base";
import type { ShutdownReason } from "../../ports/domains.ts";
import type { SimClock } from "../clock.ts";
import type { SimPage } from "../memory/sim-page.ts";
import type { SimProcess } from "../sim-process.ts";
import type { SimImage } from "./sim-image.ts";

/** What the code in a simulated domain has to work with. */
export interface SimMachine {
	readonly domid: DomId;
	readonly image: SimImage;
	/** The domain over which this one is privileged. */
	readonly target: DomId | undefined;
	/** Its kernel's own event channels, and the pages that it grants. */
	readonly process: SimProcess;
	readonly consolePage: SimPage;
	readonly clock: SimClock;
	/** Aborts when the domain shuts down or is destroyed. */
	readonly signal: AbortSignal;
	/** Handles events of a port that the toolstack made. */
	listen(port: EvtchnPort, onEvent: () => void): void;
	/** Sends an event. */
	notify(port: EvtchnPort): void;
	/** A page of the domain's own, granted for writing. It and its grant go with the domain. */
	grantPage(to: DomId): { page: SimPage; ref: GrantRef };
	/** Resolves at once, or when the domain is unpaused. Rejects when it ends. */
	untilRunnable(): Promise<void>;
	/** The host's clock; a paused domain wakes late. */
	sleep(ms: number): Promise<void>;
	/** SCHEDOP_shutdown. */
	shutdown(reason: ShutdownReason): void;
	/** A line on the hypervisor's console. */
	log(line: string): void;
}
