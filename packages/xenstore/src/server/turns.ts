/** Somebody whose requests are handled one at a time. */
export interface Participant {
	/** Handles one request. True: there may be another. */
	takeTurn(): boolean;
	/** Sends what has been answered. */
	flush(): void;
}

/** Requests handled before the event loop gets its turn. */
const REQUESTS_PER_ROUND = 256;

/**
 * Who is next: each client that has sent something gets one request handled, then the next client, however much either
 * has sent. Answers leave at the end of a round.
 */
export class Turns {
	/** In the order of their turns. */
	readonly #waiting = new Set<Participant>();
	readonly #unflushed = new Set<Participant>();
	#isScheduled = false;

	/** The participant may have something to do. */
	add(participant: Participant): void {
		this.#waiting.add(participant);
		this.#schedule();
	}

	/** Its answers leave with the end of this round. */
	flushLater(participant: Participant): void {
		this.#unflushed.add(participant);
		this.#schedule();
	}

	remove(participant: Participant): void {
		this.#waiting.delete(participant);
		this.#unflushed.delete(participant);
	}

	#schedule(): void {
		if (this.#isScheduled) return;
		this.#isScheduled = true;
		setImmediate(() => this.#runRound());
	}

	#runRound(): void {
		let left = REQUESTS_PER_ROUND;
		for (const participant of this.#waiting) {
			this.#waiting.delete(participant);
			if (participant.takeTurn()) this.#waiting.add(participant);
			if (--left === 0) break;
		}
		for (const participant of this.#unflushed) {
			this.#unflushed.delete(participant);
			participant.flush();
		}
		this.#isScheduled = false;
		if (this.#waiting.size > 0 || this.#unflushed.size > 0) this.#schedule();
	}
}
