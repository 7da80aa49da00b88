import type { Duplex } from "node:stream";
import type { ScreenSlot } from "@bulkhead/api/relay";
import { BulkheadError } from "@bulkhead/base";

/** The ways to one guest's screen, one viewer each. The one that was free longest is taken first. */
export class ScreenSlots {
	readonly #count: number;
	readonly #free: ScreenSlot[];
	readonly #dial: (slot: ScreenSlot) => Promise<Duplex>;

	constructor(slots: readonly ScreenSlot[], dial: (slot: ScreenSlot) => Promise<Duplex>) {
		this.#count = slots.length;
		this.#free = [...slots];
		this.#dial = dial;
	}

	get used(): number {
		return this.#count - this.#free.length;
	}

	get areTaken(): boolean {
		return this.#free.length === 0;
	}

	/** One of them, until the work is done. @throws BulkheadError `screen-full`; what dialling and the work throw */
	async use(work: (screen: Duplex) => Promise<void>): Promise<void> {
		const slot = this.#free.shift();
		if (!slot)
			throw new BulkheadError("screen-full", `All ${this.#count} viewers of this screen are taken`, {
				remedy: "Close another viewer",
			});
		try {
			await work(await this.#dial(slot));
		} finally {
			this.#free.push(slot);
		}
	}
}
