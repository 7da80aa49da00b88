import { TokenBucket } from "../stream/token-bucket.ts";

/** Wrong answers that one address, and all together, may give at once and in the long run. */
const ONE = { burst: 5, perSecond: 1 / 10 } as const;
const ALL = { burst: 30, perSecond: 1 } as const;
const MOST_ADDRESSES = 256;

/**
 * Counts wrong passwords at one screen. Who guesses too often is not asked any more: he could try the 8 characters that
 * VNC looks at for ever.
 */
export class PasswordGuard {
	readonly #now: (() => number) | undefined;
	readonly #all: TokenBucket;
	/** By address, the last one that failed at the end. */
	readonly #addresses = new Map<string, TokenBucket>();

	/** @param now monotonic milliseconds */
	constructor(now?: () => number) {
		this.#now = now;
		this.#all = new TokenBucket({ ...ALL, ...(now && { now }) });
	}

	/** Whether a viewer from there may try. */
	admits(address: string): boolean {
		return !this.#all.isEmpty && !this.#addresses.get(address)?.isEmpty;
	}

	failed(address: string): void {
		const bucket = this.#addresses.get(address) ?? new TokenBucket({ ...ONE, ...(this.#now && { now: this.#now }) });
		this.#addresses.delete(address);
		this.#addresses.set(address, bucket);
		const [oldest] = this.#addresses.keys();
		if (this.#addresses.size > MOST_ADDRESSES && oldest !== undefined) this.#addresses.delete(oldest);
		bucket.take();
		this.#all.take();
	}
}
