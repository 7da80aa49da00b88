import { SimFailure } from "../calls/sim-failure.ts";
import { PageBuffer } from "./page-buffer.ts";

export const PAGE_BYTES = 4096;

/** Pages side by side in one buffer. */
interface Arrangement {
	store: PageBuffer;
	pages: readonly SimPage[];
	/** How many hold it: while there are any, the bytes stay where they are. */
	holders: number;
}

/**
 * One page of a domain's memory. JavaScript cannot show the same bytes through two buffers that go away one by one, so
 * a page lies in one buffer at a time, and moves to another when nobody holds that one any more. The domain itself asks
 * for `bytes` anew each time and never notices.
 */
export class SimPage {
	#arrangement: Arrangement;
	#index = 0;

	constructor() {
		this.#arrangement = { store: new PageBuffer(PAGE_BYTES), pages: [this], holders: 0 };
	}

	/** The page as it is now. Not to be kept: a mapping moves it. */
	get bytes(): Uint8Array {
		return new Uint8Array(this.#arrangement.store.buffer, this.#index * PAGE_BYTES, PAGE_BYTES);
	}

	/** The page as 32-bit words, for Atomics. Not to be kept. */
	get words(): Uint32Array {
		return new Uint32Array(this.#arrangement.store.buffer, this.#index * PAGE_BYTES, PAGE_BYTES / 4);
	}

	/**
	 * The pages side by side in one buffer, in this order, until the holder lets go. Who holds the same pages in the same
	 * order gets the same buffer, which goes with the last of them.
	 * @throws SimFailure EBUSY when one of them is held in another arrangement
	 */
	static hold(pages: readonly SimPage[]): HeldPages {
		const arrangement = SimPage.#arrange(pages);
		arrangement.holders++;
		let isHeld = true;
		return {
			get buffer() {
				return isHeld ? arrangement.store.buffer : NOTHING.buffer;
			},
			letGo: () => {
				if (!isHeld) return;
				isHeld = false;
				if (--arrangement.holders === 0) SimPage.#move(arrangement);
			},
		};
	}

	static #arrange(pages: readonly SimPage[]): Arrangement {
		const [first] = pages;
		const now = first === undefined ? undefined : first.#arrangement;
		if (now && now.pages.length === pages.length && now.pages.every((page, index) => page === pages[index])) return now;
		if (new Set(pages).size !== pages.length || pages.some((page) => page.#arrangement.holders > 0))
			throw new SimFailure("map", "EBUSY", ["the simulated host shows a page in one arrangement at a time"]);
		const fresh: Arrangement = { store: new PageBuffer(pages.length * PAGE_BYTES), pages, holders: 0 };
		SimPage.#settle(fresh);
		return fresh;
	}

	static #move(old: Arrangement): void {
		SimPage.#settle({ store: new PageBuffer(old.pages.length * PAGE_BYTES), pages: old.pages, holders: 0 });
		old.store.takeAway();
	}

	static #settle(arrangement: Arrangement): void {
		const target = new Uint8Array(arrangement.store.buffer);
		for (const [index, page] of arrangement.pages.entries()) {
			target.set(page.bytes, index * PAGE_BYTES);
			page.#arrangement = arrangement;
			page.#index = index;
		}
	}
}

/** Pages that somebody looks at. */
export interface HeldPages {
	/** Empty once let go. */
	readonly buffer: ArrayBuffer;
	/** Idempotent. */
	letGo(): void;
}

const NOTHING: PageBuffer = new PageBuffer(0);
