interface Waiting {
	resolve: (result: IteratorResult<string>) => void;
	reject: (error: unknown) => void;
}

/**
 * The paths that a watch has seen and its consumer has not. Equal paths are kept once; above the limit all of them give
 * way to the watched path itself, which says "look at everything again".
 */
export class WatchQueue {
	readonly #watchedPath: string;
	readonly #limit: number;
	readonly #paths = new Set<string>();
	#waiting: Waiting | undefined;
	#end: { error: unknown } | "closed" | undefined;

	constructor(watchedPath: string, limit: number) {
		this.#watchedPath = watchedPath;
		this.#limit = limit;
	}

	push(path: string): void {
		if (this.#end) return;
		if (this.#waiting) {
			this.#takeWaiting()?.resolve({ done: false, value: path });
			return;
		}
		if (this.#paths.size >= this.#limit && !this.#paths.has(path)) {
			this.#paths.clear();
			this.#paths.add(this.#watchedPath);
		} else {
			this.#paths.add(path);
		}
	}

	/** One consumer at a time. What is queued when the watch ends is not handed out any more. */
	next(): Promise<IteratorResult<string>> {
		if (this.#end === "closed") return Promise.resolve({ done: true, value: undefined });
		if (this.#end) return Promise.reject(this.#end.error);
		const [path] = this.#paths;
		if (path !== undefined) {
			this.#paths.delete(path);
			return Promise.resolve({ done: false, value: path });
		}
		if (this.#waiting) return Promise.reject(new TypeError("A watch has one consumer"));
		return new Promise((resolve, reject) => {
			this.#waiting = { resolve, reject };
		});
	}

	/** The iteration ends normally. */
	close(): void {
		if (this.#finish("closed")) this.#takeWaiting()?.resolve({ done: true, value: undefined });
	}

	/** The iteration ends with the error. */
	fail(error: unknown): void {
		if (this.#finish({ error })) this.#takeWaiting()?.reject(error);
	}

	#finish(end: { error: unknown } | "closed"): boolean {
		if (this.#end) return false;
		this.#end = end;
		this.#paths.clear();
		return true;
	}

	#takeWaiting(): Waiting | undefined {
		const waiting = this.#waiting;
		this.#waiting = undefined;
		return waiting;
	}
}
