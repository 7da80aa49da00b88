import { Transform, type TransformCallback } from "node:stream";

export interface ByteRate {
	burstBytes: number;
	bytesPerSecond: number;
}

/** Passes bytes on, no faster than the rate in the long run: what comes before it waits meanwhile. */
export class RateLimit extends Transform {
	readonly #rate: ByteRate;
	#tokens: number;
	#filledAt = performance.now();
	#timer: NodeJS.Timeout | undefined;

	constructor(rate: ByteRate) {
		super();
		this.#rate = rate;
		this.#tokens = rate.burstBytes;
	}

	override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
		const { burstBytes, bytesPerSecond } = this.#rate;
		const now = performance.now();
		this.#tokens = Math.min(burstBytes, this.#tokens + ((now - this.#filledAt) / 1000) * bytesPerSecond) - chunk.length;
		this.#filledAt = now;
		if (this.#tokens >= 0) done(null, chunk);
		else this.#timer = setTimeout(done, Math.ceil((-this.#tokens * 1000) / bytesPerSecond), null, chunk);
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		clearTimeout(this.#timer);
		done(error);
	}
}
