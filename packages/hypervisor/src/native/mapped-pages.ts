import { markAsUntransferable } from "node:worker_threads";
import { HypervisorError } from "../errors.ts";
import { attempt } from "../refusal.ts";

export interface MappedPages {
	readonly buffer: ArrayBuffer;
	unmap(): void;
}

/** What grants and foreign memory share: pages come as an ArrayBuffer and go by detaching it. */
export interface PageMapper {
	unmap(buffer: ArrayBuffer): boolean;
	close(): void;
}

/** Keeps count of live mappings, so that closing the mapper leaves none. */
export class MappedPagesSet {
	readonly #mapper: PageMapper;
	readonly #live = new Set<MappedPages>();
	#closed = false;

	constructor(mapper: PageMapper) {
		this.#mapper = mapper;
	}

	add(buffer: ArrayBuffer): MappedPages {
		// structuredClone and postMessage could otherwise move the memory to a buffer that we cannot detach.
		markAsUntransferable(buffer);
		let mapped = true;
		const pages: MappedPages = {
			buffer,
			unmap: () => {
				if (!mapped) return;
				mapped = false;
				this.#live.delete(pages);
				if (!attempt("Could not unmap pages", () => this.#mapper.unmap(buffer)))
					throw new HypervisorError(
						"The mapped buffer was transferred elsewhere and stays mapped until it is collected",
						{
							remedy: "Copy bytes out of a mapping instead of transferring its buffer",
						},
					);
			},
		};
		this.#live.add(pages);
		return pages;
	}

	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		for (const pages of this.#live) pages.unmap();
		this.#mapper.close();
	}
}
