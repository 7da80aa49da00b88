import type { DomId, GrantRef } from "@bulkhead/base";
import type { GrantMaps, MappedGrants, UnmapNotification } from "../../ports/grants.ts";
import { checkDomid, checkInteger, checkList, checkPort } from "../calls/check-arguments.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import type { ProcessParts } from "../sim-process.ts";
import { ForeignPages } from "./foreign-pages.ts";
import { PAGE_BYTES, type SimPage } from "./sim-page.ts";

/** native/grants.cc: kMaxPages. */
const MOST_PAGES = 4096;

/** Grants of other domains, mapped by one process. */
export class SimGrantMaps implements GrantMaps {
	readonly #parts: ProcessParts;
	readonly #pages: ForeignPages;

	constructor(parts: ProcessParts) {
		this.#parts = parts;
		this.#pages = new ForeignPages(parts.host);
	}

	get holdings(): string[] {
		return this.#pages.holdings;
	}

	map(
		domid: DomId,
		refs: readonly GrantRef[],
		{ writable = false, onUnmap }: { writable?: boolean; onUnmap?: UnmapNotification } = {},
	): MappedGrants {
		checkDomid(domid);
		checkList("refs", refs, 0xffff_ffff, MOST_PAGES);
		if (onUnmap) checkNotification(refs, onUnmap);
		const { calls, domain } = this.#parts;
		const which = refs.length === 1 ? `grant ${refs[0]}` : `${refs.length} grants`;
		const facts = {
			name: "grants.map",
			attempt: `Could not map ${which} of domain ${domid}`,
			fields: { domid, refs: refs.slice(0, 16) },
			domid,
		};
		return calls.runSync(facts, () => {
			if (onUnmap && !domain.ports.find(onUnmap.notifyPort)) throw new SimFailure("unmap notification", "EINVAL");
			const pages = refs.map((ref) => this.#granted(domid, ref, writable));
			return this.#pages.map(domid, pages, `${which} of domain ${domid}`, (first) => {
				if (!onUnmap) return;
				first.bytes[onUnmap.clearByteOffset] = 0;
				if (domain.ports.find(onUnmap.notifyPort)) this.#parts.host.raise(onUnmap.notifyPort, domain);
			});
		});
	}

	close(): void {
		this.#pages.close();
	}

	/** @throws SimFailure EINVAL as the kernel answers for GNTST_bad_gntref and GNTST_bad_domain */
	#granted(domid: DomId, ref: GrantRef, writable: boolean): SimPage {
		const owner = this.#parts.host.find(domid);
		const grant = owner?.isDying ? undefined : owner?.grants.get(ref);
		if (!grant || grant.to !== this.#parts.domain.domid || (writable && !grant.writable))
			throw new SimFailure("GNTTABOP_map_grant_ref", "EINVAL");
		return grant.page;
	}
}

function checkNotification(refs: readonly GrantRef[], { clearByteOffset, notifyPort }: UnmapNotification): void {
	if (refs.length !== 1) throw new TypeError("An unmap notification is for exactly one page");
	checkInteger("clearByteOffset", clearByteOffset, 0, PAGE_BYTES - 1);
	checkPort(notifyPort);
}
