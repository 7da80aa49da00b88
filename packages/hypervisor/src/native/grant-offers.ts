import { type DomId, grantRef } from "@bulkhead/base";
import type { GrantOffers, OfferedPages } from "../ports/grant-offers.ts";
import type { UnmapNotification } from "../ports/grants.ts";
import { attempt } from "../refusal.ts";
import type { GrantOffersAddon, RingsAddon } from "./addon-shapes.ts";
import { loadAddon } from "./load-addon.ts";
import { MappedPagesSet } from "./mapped-pages.ts";

/**
 * Opens /dev/xen/gntalloc at once: privilege may be dropped afterwards.
 * @throws HypervisorError when the addon, Xen's libraries or the device are missing
 */
export function openGrantOffers(): GrantOffers {
	return new NativeGrantOffers(loadAddon("xenrings"));
}

/** Pages for other domains by /dev/xen/gntalloc. */
export class NativeGrantOffers implements GrantOffers {
	readonly #device: GrantOffersAddon;
	readonly #pages: MappedPagesSet;

	/** @throws HypervisorError */
	constructor(addon: RingsAddon) {
		this.#device = attempt("Could not open the device for granting pages", () => new addon.GrantOffers());
		this.#pages = new MappedPagesSet(this.#device);
	}

	offer(domid: DomId, pages: number, { onEnd }: { onEnd?: UnmapNotification } = {}): OfferedPages {
		const { buffer, refs } = attempt(
			`Could not grant ${pages} pages to domain ${domid}`,
			() => this.#device.offer(domid, pages, onEnd?.clearByteOffset, onEnd?.notifyPort),
			{ domid, pages },
		);
		const mapped = this.#pages.add(buffer);
		return { buffer, refs: refs.map(grantRef), close: () => mapped.unmap() };
	}

	close(): void {
		this.#pages.close();
	}
}
