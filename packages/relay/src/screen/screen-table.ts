import type { Socket } from "node:net";
import { type AttachedScreen, type AttachScreen, screenSocketPath } from "@bulkhead/api/relay";
import { Mutex, type Uuid } from "@bulkhead/base";
import type { ListenerInbox, RingHost } from "@bulkhead/hypervisor";
import type { RelayLog } from "../relay-log.ts";
import { GuestScreen } from "./guest-screen.ts";

export interface ScreenTableOptions {
	host: RingHost;
	inbox: ListenerInbox;
	/** Sockets go to where `screenSocketPath` says. */
	runDirectory: string;
	/** Root, or the relay's own user. */
	admit: (socket: Socket) => boolean;
	log: RelayLog;
}

/** Every guest's screen that is served. Changes run one after the other. */
export class ScreenTable {
	readonly #options: ScreenTableOptions;
	readonly #screens = new Map<Uuid, GuestScreen>();
	readonly #changes = new Mutex();

	constructor(options: ScreenTableOptions) {
		this.#options = options;
	}

	/** Of one guest when it is named. */
	list(guest?: Uuid): AttachedScreen[] {
		const screens = [...this.#screens.values()].filter(({ request }) => !guest || request.guest === guest);
		return screens.map((screen) => screen.describe());
	}

	/** What was served of that guest before is let go of first. */
	attach(request: AttachScreen): Promise<{ socketPath: string }> {
		return this.#changes.run(async () => {
			const { guest, domid, slots } = request;
			await this.#close(guest);
			const { runDirectory, ...parts } = this.#options;
			const socketPath = screenSocketPath(runDirectory, guest);
			const screen = await GuestScreen.open(request, { ...parts, socketPath });
			this.#screens.set(guest, screen);
			const { listener } = screen.describe();
			this.#options.log.info({ guest, domid, viewers: slots.length, listener }, "Attached a screen");
			return { socketPath };
		});
	}

	/** Nothing attached is success. */
	detach(guest: Uuid): Promise<void> {
		return this.#changes.run(() => this.#close(guest));
	}

	/** Lets go of everything at once. */
	stop(): void {
		for (const screen of this.#screens.values()) void screen.close();
		this.#screens.clear();
	}

	async #close(guest: Uuid): Promise<void> {
		const screen = this.#screens.get(guest);
		if (!screen) return;
		this.#screens.delete(guest);
		await screen.close();
		this.#options.log.info({ guest }, "Detached a screen");
	}
}
