import type { DomId } from "@bulkhead/base";
import type { ForeignMemory, MappedFrames } from "../../ports/foreign-memory.ts";
import { checkDomid, checkList } from "../calls/check-arguments.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import type { ProcessParts } from "../sim-process.ts";
import { ForeignPages } from "./foreign-pages.ts";

/** native/foreign-memory.cc: kMaxPages and the width of a frame number. */
const MOST_PAGES = 16_384;
const LARGEST_FRAME = 2 ** 52 - 1;

/** Frames of other domains by privilege. */
export class SimForeignMemory implements ForeignMemory {
	readonly #parts: ProcessParts;
	readonly #pages: ForeignPages;

	constructor(parts: ProcessParts) {
		this.#parts = parts;
		this.#pages = new ForeignPages(parts.host);
	}

	get holdings(): string[] {
		return this.#pages.holdings;
	}

	/** Domain 0 may map any domain, a stub domain its guest. A mapping made without `writable` is not guarded here either. */
	map(domid: DomId, frames: readonly number[], _options: { writable?: boolean } = {}): MappedFrames {
		checkDomid(domid);
		checkList("frames", frames, LARGEST_FRAME, MOST_PAGES);
		const which = frames.length === 1 ? `frame ${frames[0]}` : `${frames.length} frames`;
		const facts = {
			name: "foreignMemory.map",
			attempt: `Could not map ${which} of domain ${domid}`,
			fields: { domid, frames: frames.slice(0, 16) },
			domid,
		};
		const { calls, host, domain } = this.#parts;
		return calls.runSync(facts, () => {
			const owner = host.find(domid);
			if (!owner || owner.isDying) throw new SimFailure("XENMEM_foreign", "ESRCH");
			if (domain.domid !== 0 && domain.target !== domid) throw new SimFailure("XENMEM_foreign", "EPERM");
			const pages = frames.map((frame) => {
				const page = owner.findPage(frame);
				if (!page) throw new SimFailure("XENMEM_foreign", "EINVAL");
				return page;
			});
			return this.#pages.map(domid, pages, `${which} of domain ${domid}`, () => {});
		});
	}

	close(): void {
		this.#pages.close();
	}
}
