/** What turns may take of the event loop before sockets, timers and the other consoles' events have theirs. */
const SLICE_MS = 4;

/**
 * Turns of many consoles on one event loop: each that wants one waits its turn in a queue, so that one which always wants
 * more gets no more than any other, and all together never hold the loop for long.
 */
export class FairTurns {
	readonly #queue: (() => void)[] = [];
	readonly #now: () => number;
	#isPlanned = false;

	constructor(now: () => number = () => performance.now()) {
		this.#now = now;
	}

	/** Takes a turn later in this or a following round of the event loop. */
	readonly plan = (turn: () => void): void => {
		this.#queue.push(turn);
		if (this.#isPlanned) return;
		this.#isPlanned = true;
		setImmediate(() => this.#run());
	};

	#run(): void {
		this.#isPlanned = false;
		const limit = this.#now() + SLICE_MS;
		try {
			for (let turn = this.#queue.shift(); turn; turn = this.#queue.shift()) {
				turn();
				if (this.#now() >= limit) break;
			}
		} finally {
			if (this.#queue.length > 0 && !this.#isPlanned) {
				this.#isPlanned = true;
				setImmediate(() => this.#run());
			}
		}
	}
}
