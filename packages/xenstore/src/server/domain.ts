import type { Connection } from "./connection.ts";

/** What the server knows of a domain, and what the domain uses up. */
export class Domain {
	readonly domid: number;
	/** The tree's, when the domain became known: permissions from before were given to an earlier one. */
	readonly generation: number;
	readonly isUnprivileged: boolean;
	/** There from introduction to the end. */
	connection: Connection | undefined;
	/** It is gone, but its stub domain is not: xenstored remembers it until then. */
	isGone = false;
	/** Its shutdown has been announced. */
	isShutdown = false;
	/** It has been told to be above its soft quota. */
	isWarnedOf = false;
	nodes = 0;
	watches = 0;
	/** Requests that weigh on it still. */
	outstanding = 0;
	#memory = 0;

	constructor(domid: number, generation: number) {
		this.domid = domid;
		this.generation = generation;
		this.isUnprivileged = domid !== 0;
	}

	get isIntroduced(): boolean {
		return this.connection !== undefined;
	}

	/** Bytes. */
	get memory(): number {
		return this.#memory;
	}

	addMemory(bytes: number): void {
		this.#memory += bytes;
		if (bytes < 0) this.connection?.wake();
	}

	/** One request weighs less. */
	relieve(): void {
		this.outstanding--;
		this.connection?.wake();
	}
}

/** Relative paths begin here. */
export function domainPath(domid: number): string {
	return `/local/domain/${domid >>> 0}`;
}
