import { closeSync } from "node:fs";
import type { HeldListener, ListenerPlace, Listeners } from "../ports/listeners.ts";
import { attempt } from "../refusal.ts";
import type { RingsAddon } from "./addon-shapes.ts";

/** Listening sockets by the kernel's calls: Node would begin to accept at once. */
export class NativeListeners implements Listeners {
	readonly #addon: RingsAddon;

	constructor(addon: RingsAddon) {
		this.#addon = addon;
	}

	listen(place: ListenerPlace): HeldListener {
		const addon = this.#addon;
		const title = "path" in place ? place.path : `${place.address}, port ${place.port}`;
		const fd = attempt(
			`Could not listen on ${title}`,
			() =>
				"path" in place
					? addon.listenUnix(place.path, place.mode, place.uid, place.gid)
					: addon.listenTcp(place.address, place.port),
			{ ...place },
		);
		let open = true;
		return {
			handTo: (inbox, token) =>
				attempt(`Could not hand over the socket on ${title}`, () => addon.sendDescriptor(inbox, fd, token), { inbox }),
			close: () => {
				if (!open) return;
				open = false;
				closeSync(fd);
			},
		};
	}
}
