import { existsSync, rmSync } from "node:fs";
import type { HeldListener, ListenerInbox, ListenerPlace, Listeners } from "../../ports/listeners.ts";
import { SimFailure } from "../calls/sim-failure.ts";
import type { ProcessParts } from "../sim-process.ts";

/** By inbox and token. */
export type HandedOver = Map<string, ListenerPlace>;

const keyOf = (inbox: string, token: string): string => `${inbox}\0${token}`;

/**
 * Listening sockets of one simulated process. Node cannot listen without accepting, so a socket becomes a real one only
 * where it is served: until then a path has no file, and whoever connects is refused instead of waiting.
 */
export class SimListeners implements Listeners {
	readonly #parts: ProcessParts;
	readonly #held = new Map<HeldListener, string>();

	constructor(parts: ProcessParts) {
		this.#parts = parts;
	}

	get holdings(): string[] {
		return [...this.#held.values()].map((title) => `listener ${title}`);
	}

	listen(place: ListenerPlace): HeldListener {
		const { calls, host } = this.#parts;
		const title = "path" in place ? place.path : `${place.address}:${place.port}`;
		const facts = { attempt: `Could not listen on ${title}`, fields: { ...place } };
		return calls.runSync({ name: "listeners.listen", ...facts }, () => {
			if ([...this.#held.values()].includes(title) || ("path" in place && existsSync(place.path)))
				throw new SimFailure("bind", "EADDRINUSE");
			const held: HeldListener = {
				handTo: (inbox, token) =>
					calls.runSync({ name: "listeners.handTo", attempt: `Could not hand over the socket on ${title}` }, () => {
						host.handedOver.set(keyOf(inbox, token), place);
					}),
				close: () => void this.#held.delete(held),
			};
			this.#held.set(held, title);
			return held;
		});
	}

	close(): void {
		this.#held.clear();
	}
}

export function openSimInbox(handedOver: HandedOver, path: string): ListenerInbox {
	return {
		take: (token) => {
			const place = handedOver.get(keyOf(path, token));
			handedOver.delete(keyOf(path, token));
			if (!place) return undefined;
			return {
				serve: (server) => {
					if (!("path" in place)) return void server.listen({ host: place.address, port: place.port });
					// As one that is killed leaves it.
					rmSync(place.path, { force: true });
					server.listen({ path: place.path });
				},
				close: () => {},
			};
		},
		close: () => {
			for (const key of handedOver.keys()) if (key.startsWith(keyOf(path, ""))) handedOver.delete(key);
		},
	};
}
