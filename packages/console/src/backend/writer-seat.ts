export interface WriterCandidate {
	/** The seat is yours, some time after `join` said it was not. */
	promoted(): void;
}

/** Who of several clients may type: the one that came first; when it leaves, the next. */
export class WriterSeat {
	readonly #candidates: WriterCandidate[] = [];

	/** True when the candidate has the seat at once. */
	join(candidate: WriterCandidate): boolean {
		this.#candidates.push(candidate);
		return this.holds(candidate);
	}

	holds(candidate: WriterCandidate): boolean {
		return this.#candidates[0] === candidate;
	}

	leave(candidate: WriterCandidate): void {
		const at = this.#candidates.indexOf(candidate);
		if (at === -1) return;
		this.#candidates.splice(at, 1);
		if (at === 0) this.#candidates[0]?.promoted();
	}
}
