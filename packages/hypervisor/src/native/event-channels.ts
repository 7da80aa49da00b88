import { type DomId, type EvtchnPort, evtchnPort } from "@bulkhead/base";
import { HypervisorError } from "../errors.ts";
import type { BoundEvtchn, EventChannels } from "../ports/event-channels.ts";
import { attempt } from "../refusal.ts";
import type { EvtchnAddon, RingsAddon } from "./addon-shapes.ts";

interface Channel {
	readonly onEvent: () => void;
	isPaused: boolean;
	/** An event came while it was paused: the port is masked until it is resumed. */
	isHeld: boolean;
}

/** Event channels of this process by one /dev/xen/evtchn on Node's loop. A bound port keeps the process alive. */
export class NativeEventChannels implements EventChannels {
	readonly #device: EvtchnAddon;
	readonly #channels = new Map<number, Channel>();
	#closed = false;

	/** @throws HypervisorError */
	constructor(addon: RingsAddon) {
		this.#device = attempt(
			"Could not open the event channel device",
			() => new addon.Evtchn((port) => this.#deliver(port)),
		);
	}

	bindInterdomain(domid: DomId, remotePort: EvtchnPort, onEvent: () => void): BoundEvtchn {
		const port = attempt(
			`Could not bind event channel ${remotePort} of domain ${domid}`,
			() => this.#device.bindInterdomain(domid, remotePort),
			{ domid, remotePort },
		);
		return this.#bound(port, onEvent);
	}

	bindUnbound(domid: DomId, onEvent: () => void): BoundEvtchn {
		const port = attempt(`Could not offer an event channel to domain ${domid}`, () => this.#device.bindUnbound(domid), {
			domid,
		});
		return this.#bound(port, onEvent);
	}

	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#channels.clear();
		this.#device.close();
	}

	#deliver(port: number): void {
		const channel = this.#channels.get(port);
		if (!channel) return;
		if (channel.isPaused) {
			channel.isHeld = true;
			return;
		}
		// Before the handler, so that an event arriving while it works is not lost.
		this.#device.unmask(port);
		channel.onEvent();
	}

	#bound(port: number, onEvent: () => void): BoundEvtchn {
		// No event can have been delivered yet: the device is read on a later turn of this thread's loop.
		const channel: Channel = { onEvent, isPaused: false, isHeld: false };
		this.#channels.set(port, channel);
		this.#device.keepAlive(true);
		let open = true;
		return {
			port: evtchnPort(port),
			notify: () => {
				// The number may already belong to a channel bound later.
				if (!open || this.#closed)
					throw new HypervisorError(`Event channel ${port} is closed`, { errno: "ENOTCONN", fields: { port } });
				attempt(`Could not notify event channel ${port}`, () => this.#device.notify(port), { port });
			},
			pause: () => {
				channel.isPaused = true;
			},
			resume: () => {
				const { isHeld } = channel;
				channel.isPaused = false;
				channel.isHeld = false;
				if (isHeld && open && !this.#closed)
					attempt(`Could not unmask event channel ${port}`, () => this.#device.unmask(port), { port });
				return isHeld;
			},
			close: () => {
				if (!open || this.#closed) return;
				open = false;
				this.#channels.delete(port);
				if (this.#channels.size === 0) this.#device.keepAlive(false);
				attempt(`Could not close event channel ${port}`, () => this.#device.unbind(port), { port });
			},
		};
	}
}
