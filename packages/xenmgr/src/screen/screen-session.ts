import type { Guest } from "../guests/guest.ts";

/** What a page may be connected to. */
export type Stream = "socket" | "clipboard";

export interface LiveStream {
	close(code: number, reason: string): void;
}

/** One page in one browser, let in by an invitation to one guest. A guest that is made anew is another. */
export class ScreenSession {
	readonly guest: Guest;
	/** On the clock of its secrets. */
	readonly endsAt: number;
	/** When nobody was connected any more; undefined while somebody is. */
	idleSince: number | undefined;
	/** Counts its secrets. */
	newest = 0;
	readonly #live = new Map<Stream, LiveStream>();

	constructor(guest: Guest, { now, lifeMs }: { now: number; lifeMs: number }) {
		this.guest = guest;
		this.endsAt = now + lifeMs;
		this.idleSince = now;
	}

	get isConnected(): boolean {
		return this.#live.size > 0;
	}

	/** One of each kind: whoever had it before is answered. */
	connect(stream: Stream, live: LiveStream): LiveStream | undefined {
		const before = this.#live.get(stream);
		this.#live.set(stream, live);
		this.idleSince = undefined;
		return before;
	}

	disconnect(stream: Stream, live: LiveStream, now: number): void {
		if (this.#live.get(stream) !== live) return;
		this.#live.delete(stream);
		if (!this.isConnected) this.idleSince = now;
	}

	closeAll(code: number, reason: string): void {
		for (const live of this.#live.values()) live.close(code, reason);
	}
}
