import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

export interface SecretTableOptions {
	/** The oldest makes room for one more. */
	most: number;
	lifeMs: number;
	/** Milliseconds on a clock that only goes forward. */
	now?: () => number;
}

interface Entry<T> {
	digest: Buffer;
	value: T;
	expiresAt: number;
}

/** Of a secret: 256 bits. */
const SECRET_BYTES = 32;
/** As base64url. */
const SECRET = /^[A-Za-z0-9_-]{43}$/;

/**
 * Random secrets and what each stands for. Only digests are kept. A look-up compares with every entry, in constant time
 * each, so that its time tells nothing of any secret.
 */
export class SecretTable<T> {
	readonly #most: number;
	readonly #lifeMs: number;
	readonly #now: () => number;
	#entries: Entry<T>[] = [];

	constructor({ most, lifeMs, now = () => performance.now() }: SecretTableOptions) {
		this.#most = most;
		this.#lifeMs = lifeMs;
		this.#now = now;
	}

	get size(): number {
		this.#dropExpired();
		return this.#entries.length;
	}

	/** A new secret of 43 characters that URLs and headers may hold. */
	issue(value: T): string {
		this.#dropExpired();
		if (this.#entries.length >= this.#most) this.#entries.shift();
		const secret = randomBytes(SECRET_BYTES).toString("base64url");
		this.#entries.push({ digest: digestOf(secret), value, expiresAt: this.#now() + this.#lifeMs });
		return secret;
	}

	find(secret: string): T | undefined {
		return this.#lookUp(secret)?.value;
	}

	/** Finds it for the last time. */
	take(secret: string): T | undefined {
		const entry = this.#lookUp(secret);
		if (entry) this.#entries = this.#entries.filter((other) => other !== entry);
		return entry?.value;
	}

	drop(isOver: (value: T) => boolean): void {
		this.#entries = this.#entries.filter(({ value }) => !isOver(value));
	}

	#lookUp(secret: string): Entry<T> | undefined {
		this.#dropExpired();
		if (!SECRET.test(secret)) return undefined;
		const digest = digestOf(secret);
		let found: Entry<T> | undefined;
		for (const entry of this.#entries) if (timingSafeEqual(entry.digest, digest)) found = entry;
		return found;
	}

	#dropExpired(): void {
		const now = this.#now();
		this.#entries = this.#entries.filter(({ expiresAt }) => expiresAt > now);
	}
}

const digestOf = (secret: string): Buffer => createHash("sha256").update(secret).digest();
