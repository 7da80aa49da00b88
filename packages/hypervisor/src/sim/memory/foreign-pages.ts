import type { DomId } from "@bulkhead/base";
import { SimFailure } from "../calls/sim-failure.ts";
import type { SimHost } from "../sim-host.ts";
import { SimPage } from "./sim-page.ts";

interface Mapped {
	readonly buffer: ArrayBuffer;
	unmap(): void;
}

/** The pages of other domains that one device of a process has mapped. A domain stays dying until the last is gone. */
export class ForeignPages {
	readonly #host: SimHost;
	readonly #live = new Map<Mapped, string>();
	#isClosed = false;

	constructor(host: SimHost) {
		this.#host = host;
	}

	get holdings(): string[] {
		return [...this.#live.values()];
	}

	/** @param onUnmapped what the kernel does when the mapping is gone */
	map(owner: DomId, pages: readonly SimPage[], what: string, onUnmapped: (first: SimPage) => void): Mapped {
		if (this.#isClosed) throw new SimFailure("mmap", "EBADF");
		const domain = this.#host.find(owner);
		const [first] = pages;
		if (!domain || !first) throw new SimFailure("mmap", "EINVAL");
		const held = SimPage.hold(pages);
		domain.foreignMappings++;
		const mapped: Mapped = {
			get buffer() {
				return held.buffer;
			},
			unmap: () => {
				if (!this.#live.delete(mapped)) return;
				held.letGo();
				onUnmapped(first);
				domain.foreignMappings--;
				this.#host.reap(domain);
			},
		};
		this.#live.set(mapped, what);
		return mapped;
	}

	close(): void {
		this.#isClosed = true;
		for (const mapped of this.#live.keys()) mapped.unmap();
	}
}
