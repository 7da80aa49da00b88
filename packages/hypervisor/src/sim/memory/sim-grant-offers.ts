import { type DomId, grantRef } from "@bulkhead/base";
import type { GrantOffers, OfferedPages } from "../../ports/grant-offers.ts";
import type { UnmapNotification } from "../../ports/grants.ts";
import { checkDomid, checkInteger, checkPort } from "../calls/check-arguments.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import type { ProcessParts } from "../sim-process.ts";
import { PAGE_BYTES, SimPage } from "./sim-page.ts";

/** native/grant-offers.cc: kMaxPages. */
const MOST_PAGES = 512;

/** Memory that a process grants to other domains, as Linux's gntalloc does it. */
export class SimGrantOffers implements GrantOffers {
	readonly #parts: ProcessParts;
	readonly #live = new Map<OfferedPages, string>();
	#isClosed = false;

	constructor(parts: ProcessParts) {
		this.#parts = parts;
	}

	get holdings(): string[] {
		return [...this.#live.values()];
	}

	offer(reader: DomId, pages: number, { onEnd }: { onEnd?: UnmapNotification } = {}): OfferedPages {
		checkDomid(reader);
		checkInteger("pages", pages, 1, MOST_PAGES);
		if (onEnd) checkNotification(pages, onEnd);
		const { domain, calls } = this.#parts;
		const attempt = `Could not grant ${pages} pages to domain ${reader}`;
		return calls.runSync({ name: "offers.offer", attempt, fields: { reader } }, () => {
			if (this.#isClosed) throw new SimFailure("grant offer", "EBADF");
			if (domain.isDying) throw new SimFailure("IOCTL_GNTALLOC_ALLOC_GREF", "ESRCH");
			if (onEnd && !domain.ports.find(onEnd.notifyPort)) throw new SimFailure("unmap notification", "EINVAL");
			return this.#grant(reader, pages, onEnd);
		});
	}

	close(): void {
		this.#isClosed = true;
		for (const offer of this.#live.keys()) offer.close();
	}

	#grant(reader: DomId, count: number, onEnd?: UnmapNotification): OfferedPages {
		const { domain, host } = this.#parts;
		const pages = Array.from({ length: count }, () => new SimPage());
		const refs = pages.map((page) => grantRef(domain.grant(page, reader, true)));
		const held = SimPage.hold(pages);
		const offer: OfferedPages = {
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

function checkNotification(pages: number, { clearByteOffset, notifyPort }: UnmapNotification): void {
	if (pages !== 1) throw new TypeError("An end's notification is for exactly one page");
	checkInteger("clearByteOffset", clearByteOffset, 0, PAGE_BYTES - 1);
	checkPort(notifyPort);
}
