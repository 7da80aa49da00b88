import { ProtocolError } from "@bulkhead/base";

/** An honest peer sends an event when bytes have moved. So many more than bytes only burn our time. */
const IDLE_EVENTS_PER_SECOND = 5000;

/** Watches that a peer's events are for something. */
export class EventRate {
	#window = { since: 0, events: 0, bytes: 0 };

	/** @param counts since the beginning. @throws ProtocolError */
	check({ events, bytes }: { events: number; bytes: number }): void {
		const now = performance.now();
		if (now - this.#window.since > 1000) this.#window = { since: now, events, bytes };
		const idle = events - this.#window.events - (bytes - this.#window.bytes);
		if (idle > IDLE_EVENTS_PER_SECOND)
			throw new ProtocolError("Vchan peer sends events for nothing", { fields: { idle } });
	}
}
