/** Runs at most so many asynchronous sections at once; the others wait in the order asked. */
export class Slots {
	#free: number;
	readonly #waiting: (() => void)[] = [];

	constructor(count: number) {
		this.#free = count;
	}

	async run<T>(section: () => Promise<T>): Promise<T> {
		if (this.#free > 0) this.#free--;
		else await new Promise<void>((resolve) => this.#waiting.push(resolve));
		try {
			return await section();
		} finally {
			// A waiter takes the slot over, so that nobody can slip in between.
			const next = this.#waiting.shift();
			if (next) next();
			else this.#free++;
		}
	}
}
