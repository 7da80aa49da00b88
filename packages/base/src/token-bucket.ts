/** Permits bursts up to `burst` and `perSecond` in the long run. */
export class TokenBucket {
	readonly #burst: number;
	readonly #perSecond: number;
	readonly #now: () => number;
	#tokens: number;
	#filledAt: number;

	/** @param now monotonic milliseconds */
	constructor(options: { burst: number; perSecond: number; now?: () => number }) {
		this.#burst = options.burst;
		this.#perSecond = options.perSecond;
		this.#now = options.now ?? (() => performance.now());
		this.#tokens = options.burst;
		this.#filledAt = this.#now();
	}

	/** Takes one token; false when there is none. */
	take(): boolean {
		if (this.isEmpty) return false;
		this.#tokens -= 1;
		return true;
	}

	/** Puts one back that was taken for nothing. */
	giveBack(): void {
		this.#tokens = Math.min(this.#burst, this.#tokens + 1);
	}

	/** No token is there to be taken now. */
	get isEmpty(): boolean {
		const now = this.#now();
		this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond);
		this.#filledAt = now;
		return this.#tokens < 1;
	}
}
