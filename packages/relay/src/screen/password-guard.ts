import { TokenBucket } from "@bulkhead/base";

/** Answers that one address, and all together, may give at once and in the long run; right ones are given back. */
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
	/** By address, the last one that tried at the end. */
	readonly #addresses = new Map<string, TokenBucket>();

	/** @param now monotonic milliseconds */
	constructor(now?: () => number) {
		this.#now = now;
		this.#all = new TokenBucket({ ...ALL, ...(now && { now }) });
	}

	/** Takes a try for a viewer from there, before the question: of many that ask at once no more get one. */
	admits(address: string): boolean {
		const bucket = this.#bucketOf(address);
		if (this.#all.isEmpty || bucket.isEmpty) return false;
		bucket.take();
		this.#all.take();
		return true;
	}

	/** Gives the try back: it was no wrong answer. */
	spare(address: string): void {
		this.#bucketOf(address).giveBack();
		this.#all.giveBack();
	}

	#bucketOf(address: string): TokenBucket {
		const bucket = this.#addresses.get(address) ?? new TokenBucket({ ...ONE, ...(this.#now && { now: this.#now }) });
		this.#addresses.delete(address);
		this.#addresses.set(address, bucket);
		const [oldest] = this.#addresses.keys();
		if (this.#addresses.size > MOST_ADDRESSES && oldest !== undefined) this.#addresses.delete(oldest);
		return bucket;
	}
}
