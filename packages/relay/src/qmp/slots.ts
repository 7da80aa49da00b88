import { BulkheadError, type WaitOptions, withDeadline } from "@bulkhead/base";

/** So many wait at most. */
const MOST_WAITING = 512;

/** Lets so many pieces of work run at once; others wait for their turn, in order, no longer than their deadline. */
export class Slots {
	readonly #waiting: (() => void)[] = [];
	#free: number;

	constructor(count: number) {
		this.#free = count;
	}

	/** @throws BulkheadError `qmp-busy`; DeadlineError, CancelledError while it waits; what the work throws */
	async run<T>(work: () => Promise<T>, wait: WaitOptions): Promise<T> {
		if (this.#free > 0) this.#free--;
		else await this.#wait(wait);
		try {
			return await work();
		} finally {
			const next = this.#waiting.shift();
			if (next) next();
			else this.#free++;
		}
	}

	async #wait(wait: WaitOptions): Promise<void> {
		if (this.#waiting.length >= MOST_WAITING)
			throw new BulkheadError("qmp-busy", "Too many commands wait for the guest's QEMU", {
				remedy: "Try again; if it stays so, QEMU hangs",
			});
		let grant!: () => void;
		const granted = new Promise<void>((resolve) => {
			grant = resolve;
		});
		this.#waiting.push(grant);
		try {
			await withDeadline(granted, wait);
		} catch (error) {
			const at = this.#waiting.indexOf(grant);
			if (at === -1) this.#free++;
			else this.#waiting.splice(at, 1);
			throw error;
		}
	}
}
