import type { DomId } from "@bulkhead/base";
import type { ForeignMemory, MappedFrames } from "../ports/foreign-memory.ts";
import { attempt } from "../refusal.ts";
import type { ForeignMemoryAddon, RingsAddon } from "./addon-shapes.ts";
import { MappedPagesSet } from "./mapped-pages.ts";

/** Frames of other domains by privilege (/dev/xen/privcmd). */
export class NativeForeignMemory implements ForeignMemory {
	readonly #device: ForeignMemoryAddon;
	readonly #pages: MappedPagesSet;

	/** @throws HypervisorError */
	constructor(addon: RingsAddon) {
		this.#device = attempt("Could not open the device for foreign memory", () => new addon.ForeignMemory());
		this.#pages = new MappedPagesSet(this.#device);
	}

	map(domid: DomId, frames: readonly number[], { writable = false }: { writable?: boolean } = {}): MappedFrames {
		const buffer = attempt(
			`Could not map ${frames.length === 1 ? `frame ${frames[0]}` : `${frames.length} frames`} of domain ${domid}`,
			() => this.#device.map(domid, frames, writable),
			{ domid, frames: frames.slice(0, 16) },
		);
		return this.#pages.add(buffer);
	}

	close(): void {
		this.#pages.close();
	}
}
