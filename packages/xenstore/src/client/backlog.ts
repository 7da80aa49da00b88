import { CancelledError } from "@bulkhead/base";

/** Memory that a request holds besides its message, until it is answered. A round estimate, in bytes. */
const BYTES_BESIDES = 512;

interface Waiter {
	resolve: () => void;
	reject: (error: unknown) => void;
}

/** What has been asked of xenstored and is not answered: counted in bytes, and bounded. */
export class Backlog {
	readonly limitBytes: number;
	readonly #waiters = new Set<Waiter>();
	#bytes = 0;

	constructor(limitBytes: number) {
		this.limitBytes = limitBytes;
	}

	get bytes(): number {
		return this.#bytes;
	}

	/** False when a message of that length would go beyond the limit. An empty backlog takes anything. */
	hasRoomFor(length: number): boolean {
		return this.#bytes === 0 || this.#bytes + length + BYTES_BESIDES <= this.limitBytes;
	}

	add(length: number): void {
		this.#bytes += length + BYTES_BESIDES;
	}

	remove(length: number): void {
		this.#bytes -= length + BYTES_BESIDES;
		if (this.#waiters.size > 0 && this.#isLow()) this.#wake();
	}

	/** Waits until the backlog is half empty. @throws CancelledError, and the error given to `end` */
	async room(signal?: AbortSignal): Promise<void> {
		while (!this.#isLow()) await this.#change(signal);
	}

	/** All who wait fail with the error. */
	end(error: unknown): void {
		this.#bytes = 0;
		for (const waiter of this.#waiters) waiter.reject(error);
		this.#waiters.clear();
	}

	#isLow(): boolean {
		return this.#bytes * 2 <= this.limitBytes;
	}

	#wake(): void {
		for (const waiter of this.#waiters) waiter.resolve();
		this.#waiters.clear();
	}

	#change(signal: AbortSignal | undefined): Promise<void> {
		return new Promise((resolve, reject) => {
			const cancelled = (): CancelledError =>
				new CancelledError("Stopped waiting for room among the requests", { cause: signal?.reason });
			if (signal?.aborted) return reject(cancelled());
			const abort = (): void => {
				this.#waiters.delete(waiter);
				reject(cancelled());
			};
			const done = (): void => signal?.removeEventListener("abort", abort);
			const waiter: Waiter = {
				resolve: () => {
					done();
					resolve();
				},
				reject: (error) => {
					done();
					reject(error);
				},
			};
			this.#waiters.add(waiter);
			signal?.addEventListener("abort", abort, { once: true });
		});
	}
}
