import type { Domain } from "./domain.ts";

/**
 * One request of an unprivileged domain. It counts against `outstanding` until its answer has been read, and every
 * watch event that it caused, by whomever: a domain that makes others busy faster than they can read has to wait.
 */
export class RequestWeight {
	readonly #domain: Domain;
	#parts = 0;

	constructor(domain: Domain) {
		this.#domain = domain;
	}

	/** An answer or event has been queued. */
	add(): void {
		if (this.#parts++ === 0) this.#domain.outstanding++;
	}

	/** It has been read, or will never be. */
	drop(): void {
		if (--this.#parts === 0) this.#domain.relieve();
	}
}
