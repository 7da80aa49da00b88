/** An event that moves fewer bytes than this costs about as much as one that moves a whole ring. */
const SMALL_BYTES = 512;
/** So many small events within the time are taken as they come. */
const ALLOWANCE = { events: 50, withinMs: 100 } as const;
const INTERVAL_MS = { first: 4, least: 1, most: 20 } as const;
/** Of a look: above the first the guest is quick, below the second slow. */
const QUICK_BYTES = 1024;
const SLOW_BYTES = 256;

/**
 * When to listen to a guest's events and when to look at its ring now and then instead. A guest that notifies for every
 * few bytes, or for none at all, costs a look at most every millisecond, whatever it does; what it writes meanwhile waits
 * in the ring and is taken in one go.
 */
export class Moderation {
	#events = 0;
	#since = 0;
	#intervalMs: number | undefined;

	/** Its events are not listened to. */
	get isLooking(): boolean {
		return this.#intervalMs !== undefined;
	}

	/** After an event. Answers when to look next if events shall not be listened to from now on. */
	afterEvent(movedBytes: number, now: number): number | undefined {
		if (movedBytes >= SMALL_BYTES) return undefined;
		if (now - this.#since > ALLOWANCE.withinMs) {
			this.#since = now;
			this.#events = 0;
		}
		if (++this.#events <= ALLOWANCE.events) return undefined;
		this.#intervalMs = INTERVAL_MS.first;
		return this.#intervalMs;
	}

	/**
	 * After a look. Answers when the next one is due, or undefined: back to events, which only a guest earns that has
	 * neither written nor notified since the last look.
	 */
	afterLook(movedBytes: number, wasNotified: boolean): number | undefined {
		const intervalMs = this.#intervalMs ?? INTERVAL_MS.first;
		if (movedBytes === 0 && !wasNotified) {
			this.#intervalMs = undefined;
			this.#events = 0;
		} else if (movedBytes >= QUICK_BYTES) this.#intervalMs = Math.max(INTERVAL_MS.least, intervalMs / 2);
		else if (movedBytes < SLOW_BYTES) this.#intervalMs = Math.min(INTERVAL_MS.most, intervalMs * 2);
		return this.#intervalMs;
	}
}
