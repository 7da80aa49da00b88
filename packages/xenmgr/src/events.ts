import { AsyncQueue, type Uuid } from "@bulkhead/base";

/** What happened, as clients of the event stream see it. */
export interface DaemonEvent {
	/** ISO 8601. */
	time: string;
	type:
		| "guest-state"
		| "guest-ended"
		| "guest-undone"
		| "device-model-failed"
		| "device-model-state"
		| "qmp-event"
		| "console-ended"
		| "relay-state"
		| "heartbeat";
	guest?: { uuid: Uuid; name: string; domid?: number };
	[detail: string]: unknown;
}

/** A subscriber that lags by more than this is cut off: it may reconnect and ask for the present state. */
const LONGEST_BACKLOG = 1024;

/** Hands every event to every subscriber. */
export class Events {
	readonly #subscribers = new Set<AsyncQueue<DaemonEvent>>();

	emit(type: DaemonEvent["type"], details: Omit<DaemonEvent, "time" | "type"> = {}): void {
		const event: DaemonEvent = { time: new Date().toISOString(), type, ...details };
		for (const queue of this.#subscribers) {
			if (queue.push(event)) continue;
			this.#subscribers.delete(queue);
			queue.close();
		}
	}

	subscribe(signal: AbortSignal): AsyncIterable<DaemonEvent> {
		const queue = new AsyncQueue<DaemonEvent>({
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
