import type { HostEvent } from "@bulkhead/api";
import { AsyncQueue } from "@bulkhead/base";

/** A subscriber that lags by more than this is cut off: it may reconnect and ask for the present state. */
const LONGEST_BACKLOG = 1024;

/** Hands every event to every subscriber. */
export class Events {
	readonly #subscribers = new Set<AsyncQueue<HostEvent>>();

	emit(type: HostEvent["type"], details: Omit<HostEvent, "time" | "type"> = {}): void {
		const event: HostEvent = { time: new Date().toISOString(), type, ...details };
		for (const queue of this.#subscribers) {
			if (queue.push(event)) continue;
			this.#subscribers.delete(queue);
			queue.close();
		}
	}

	subscribe(signal: AbortSignal): AsyncIterable<HostEvent> {
		const queue = new AsyncQueue<HostEvent>({
			limit: LONGEST_BACKLOG,
			onReturn: () => this.#subscribers.delete(queue),
		});
		this.#subscribers.add(queue);
		const end = (): void => {
			this.#subscribers.delete(queue);
			queue.close();
		};
		if (signal.aborted) end();
		else signal.addEventListener("abort", end, { once: true });
		return queue;
	}
}
