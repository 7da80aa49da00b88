import type { DomId, GrantRef } from "@bulkhead/base";
import type { GrantMaps, MappedGrants, UnmapNotification } from "../ports/grants.ts";
import { attempt } from "../refusal.ts";
import type { GrantsAddon, RingsAddon } from "./addon-shapes.ts";
import { MappedPagesSet } from "./mapped-pages.ts";

/** Grants of other domains by /dev/xen/gntdev. */
export class NativeGrantMaps implements GrantMaps {
	readonly #device: GrantsAddon;
	readonly #pages: MappedPagesSet;

	/** @throws HypervisorError */
	constructor(addon: RingsAddon) {
		this.#device = attempt("Could not open the grant device", () => new addon.Grants());
		this.#pages = new MappedPagesSet(this.#device);
	}

	map(
		domid: DomId,
		refs: readonly GrantRef[],
		{ writable = false, onUnmap }: { writable?: boolean; onUnmap?: UnmapNotification } = {},
	): MappedGrants {
		const buffer = attempt(
			`Could not map ${refs.length === 1 ? `grant ${refs[0]}` : `${refs.length} grants`} of domain ${domid}`,
			() => this.#device.map(domid, refs, writable, onUnmap?.clearByteOffset, onUnmap?.notifyPort),
			{ domid, refs: refs.slice(0, 16) },
		);
		return this.#pages.add(buffer);
	}

	close(): void {
		this.#pages.close();
	}
}
