import { type DomId, type EvtchnPort, type GrantRef, grantRef } from "@bulkhead/base";
import { checkDomid, checkInteger } from "../calls/check-arguments.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import type { ProcessParts } from "../sim-process.ts";
import { SimPage } from "./sim-page.ts";

const MOST_PAGES = 512;

/** Pages of a process that another domain may map. */
export interface SimOffer {
	/** The process's own look at them; empty after `close`. */
	readonly buffer: ArrayBuffer;
	readonly refs: readonly GrantRef[];
	/** Takes the grants back. Who has mapped the pages keeps them until it unmaps. Idempotent. */
	close(): void;
}

/** Memory that a process grants to other domains, as Linux's gntalloc does it. */
export class SimGrantOffers {
	readonly #parts: ProcessParts;
	readonly #live = new Map<SimOffer, string>();

	constructor(parts: ProcessParts) {
		this.#parts = parts;
	}

	get holdings(): string[] {
		return [...this.#live.values()];
	}

	/** @param onEnd a byte of the first page to clear, and a port to notify, when the offer ends */
	offer(reader: DomId, pages: number, onEnd?: { clearByteOffset: number; notifyPort: EvtchnPort }): SimOffer {
		checkDomid(reader);
		checkInteger("pages", pages, 1, MOST_PAGES);
		const { domain, calls } = this.#parts;
		const attempt = `Could not grant ${pages} pages to domain ${reader}`;
		return calls.runSync({ name: "offers.offer", attempt, fields: { reader } }, () => {
			if (domain.isDying) throw new SimFailure("IOCTL_GNTALLOC_ALLOC_GREF", "ESRCH");
			return this.#grant(reader, pages, onEnd);
		});
	}

	close(): void {
		for (const offer of this.#live.keys()) offer.close();
	}

	#grant(reader: DomId, count: number, onEnd?: { clearByteOffset: number; notifyPort: EvtchnPort }): SimOffer {
		const { domain, host } = this.#parts;
		const pages = Array.from({ length: count }, () => new SimPage());
		const refs = pages.map((page) => grantRef(domain.grant(page, reader, true)));
		const held = SimPage.hold(pages);
		const offer: SimOffer = {
			get buffer() {
				return held.buffer;
			},
			refs,
			close: () => {
				if (!this.#live.delete(offer)) return;
				for (const ref of refs) domain.grants.delete(ref);
				held.letGo();
				const [first] = pages;
				if (!onEnd || !first) return;
				first.bytes[onEnd.clearByteOffset] = 0;
				if (domain.ports.find(onEnd.notifyPort)) host.raise(onEnd.notifyPort, domain);
			},
		};
		this.#live.set(offer, `grant ${refs[0]} to domain ${reader}`);
		return offer;
	}
}
