/**
 * A queue between a producer that pushes and one consumer that iterates. `close` ends the iteration after what is
 * queued; `fail` ends it with an error. Bounded by `limit`: `push` answers false when the item did not fit.
 */
export class AsyncQueue<T> implements AsyncIterable<T> {
	readonly #limit: number;
	readonly #items: T[] = [];
	#waiting: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void } | undefined;
	#ended = false;
	#failure: { error: unknown } | undefined;
	#onReturn: (() => void) | undefined;

	constructor(options: { limit?: number; onReturn?: () => void } = {}) {
		this.#limit = options.limit ?? Number.POSITIVE_INFINITY;
		this.#onReturn = options.onReturn;
	}

	get size(): number {
		return this.#items.length;
	}

	push(item: T): boolean {
		if (this.#ended) return false;
		if (this.#waiting) {
			const { resolve } = this.#waiting;
			this.#waiting = undefined;
			resolve({ done: false, value: item });
			return true;
		}
		if (this.#items.length >= this.#limit) return false;
		this.#items.push(item);
		return true;
	}

	close(): void {
		this.#end(undefined);
	}

	fail(error: unknown): void {
		this.#end({ error });
	}

	/** The next item, or `done`. Only one consumer may wait at a time. */
	next(): Promise<IteratorResult<T>> {
		if (this.#items.length > 0) return Promise.resolve({ done: false, value: this.#items.shift() as T });
		if (this.#failure) return Promise.reject(this.#failure.error);
		if (this.#ended) return Promise.resolve({ done: true, value: undefined });
		if (this.#waiting) throw new TypeError("An AsyncQueue has one consumer");
		return new Promise((resolve, reject) => {
			this.#waiting = { resolve, reject };
		});
	}

	[Symbol.asyncIterator](): AsyncIterator<T> {
		return {
			next: () => this.next(),
			return: async () => {
				this.close();
				this.#onReturn?.();
				this.#onReturn = undefined;
				return { done: true, value: undefined };
			},
		};
	}

	#end(failure: { error: unknown } | undefined): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#failure = failure;
		const waiting = this.#waiting;
		this.#waiting = undefined;
		if (!waiting) return;
		if (failure) waiting.reject(failure.error);
		else waiting.resolve({ done: true, value: undefined });
	}
}
