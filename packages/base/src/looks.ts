/** Looks at shared memory, one right after the other, which takes no system call: a bounded number in each turn. */
export class Looks {
	readonly #perTurn: number;
	#left: number;

	constructor(perTurn: number) {
		this.#perTurn = perTurn;
		this.#left = perTurn;
	}

	/** A turn begins. */
	renew(): void {
		this.#left = this.#perTurn;
	}

	/** Looks until there is as much as is wanted, or none of the turn's looks is left; answers what there is then. */
	lookFor(wanted: number, amount: () => number): number {
		let found = amount();
		while (found < wanted && this.#left-- > 0) found = amount();
		return found;
	}
}
