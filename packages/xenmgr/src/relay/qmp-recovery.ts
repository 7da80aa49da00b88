import { CancelledError, serializeError, type Uuid } from "@bulkhead/base";
import type { Guest } from "../guests/guest.ts";
import type { Services } from "../services.ts";
import { reattachQmp } from "./reattach.ts";

const DELAY_MS = { first: 1000, longest: 60_000 } as const;
/** A session that lasted so long begins the delays anew. */
const STEADY_MS = 300_000;
/** Others wait for the guest meanwhile: short, and there is a next time. */
const GREETING_MS = 5000;

interface Loss {
	delayMs: number;
	lostAt: number;
	timer: NodeJS.Timeout | undefined;
}

/**
 * Attaches QMP again where a session was lost and its QEMU may live: by a message that broke the protocol, or a ring that
 * was closed. A QEMU that does it on purpose is tried ever more seldom.
 */
export class QmpRecovery {
	readonly #services: Services;
	readonly #losses = new Map<Uuid, Loss>();
	readonly #stop = new AbortController();

	constructor(services: Services) {
		this.#services = services;
	}

	/** A guest's session is over, not by us. */
	lost(guest: Guest): void {
		const now = performance.now();
		const before = this.#losses.get(guest.uuid);
		if (before?.timer || this.#stop.signal.aborted) return;
		const isFirst = !before || now - before.lostAt > STEADY_MS;
		const delayMs = isFirst ? DELAY_MS.first : Math.min(2 * before.delayMs, DELAY_MS.longest);
		const timer = setTimeout(() => void this.#recover(guest), delayMs);
		this.#losses.set(guest.uuid, { delayMs, lostAt: now, timer });
	}

	stop(): void {
		this.#stop.abort(new CancelledError("bulkheadd is stopping"));
		for (const { timer } of this.#losses.values()) clearTimeout(timer);
		this.#losses.clear();
	}

	async #recover(guest: Guest): Promise<void> {
		const loss = this.#losses.get(guest.uuid);
		if (loss) loss.timer = undefined;
		const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(GREETING_MS)]);
		try {
			await guest.operations.run(async () => {
				if (guest.isGone || guest.record.phase !== "running") this.#losses.delete(guest.uuid);
				else await reattachQmp(guest, this.#services, { signal, timeoutMs: GREETING_MS });
			});
		} catch (error) {
			if (this.#stop.signal.aborted) return;
			this.#services.log.warn({ guest: guest.uuid, error: serializeError(error) }, "Cannot attach a guest's QMP again");
			this.lost(guest);
		}
	}
}
