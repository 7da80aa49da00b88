import { type DomId, type EvtchnPort, Patience } from "@bulkhead/base";
import type { BoundEvtchn, EventChannels } from "@bulkhead/hypervisor";
import { Moderation } from "./moderation.ts";

export interface RingEventsOptions {
	evtchns: EventChannels;
	domid: DomId;
	remotePort: EvtchnPort;
	/** Moves what there is to move and answers how many bytes that were. */
	turn: () => number;
	/** How a turn is put behind other work of the event loop. */
	schedule: (turn: () => void) => void;
}

/**
 * When a ring has its turn: at its guest's events, or now and then instead while the guest raises too many (see
 * Moderation), again at once while bytes stream (see Patience), and when it is asked for.
 */
export class RingEvents {
	readonly #options: RingEventsOptions;
	readonly #evtchn: BoundEvtchn;
	readonly #moderation = new Moderation();
	readonly #patience = new Patience();
	#isPlanned = false;
	#hasEvent = false;
	#look: NodeJS.Timeout | undefined;
	#isClosed = false;

	/** @throws HypervisorError */
	constructor(options: RingEventsOptions) {
		this.#options = options;
		this.#evtchn = options.evtchns.bindInterdomain(options.domid, options.remotePort, () => {
			this.#hasEvent = true;
			this.plan();
		});
	}

	/** Tells the guest. */
	notify(): void {
		this.#evtchn.notify();
	}

	/** A turn soon; one that is planned already will do. */
	plan(): void {
		if (this.#isPlanned || this.#isClosed) return;
		this.#isPlanned = true;
		this.#options.schedule(() => {
			this.#isPlanned = false;
			const hadEvent = this.#hasEvent;
			this.#hasEvent = false;
			if (this.#isClosed) return;
			const moved = this.#options.turn();
			this.#patience.afterTurn(moved);
			if (this.#patience.isLooking) this.plan();
			if (hadEvent && !this.#moderation.isLooking) this.#lookIn(this.#moderation.afterEvent(moved, performance.now()));
		});
	}

	/** Idempotent. */
	close(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		clearTimeout(this.#look);
		this.#evtchn.close();
	}

	/** In place of listening; undefined: go on listening. */
	#lookIn(ms: number | undefined): void {
		if (ms === undefined || this.#isClosed) return;
		this.#evtchn.pause();
		this.#look = setTimeout(() => {
			this.#options.schedule(() => {
				if (this.#isClosed) return;
				const wasNotified = this.#evtchn.resume();
				const moved = this.#options.turn();
				this.#lookIn(this.#moderation.afterLook(moved, wasNotified));
			});
		}, ms);
		this.#look.unref();
	}
}
