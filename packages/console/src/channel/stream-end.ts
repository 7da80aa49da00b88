import type { Duplex } from "node:stream";
import type { ChannelEnd, ChannelRing } from "./channel-ring.ts";

/** One client of a channel: a connected stream, from when it joins the ring until it closes. Half-closed is closed. */
export class StreamEnd implements ChannelEnd {
	readonly #stream: Duplex;
	readonly #ring: ChannelRing;

	/** Takes the stream's events over; whoever made it listens for "close". */
	constructor(stream: Duplex, ring: ChannelRing) {
		this.#stream = stream;
		this.#ring = ring;
		stream.on("data", (chunk: Uint8Array) => {
			ring.give(chunk);
			if (!ring.hasInputRoom) stream.pause();
		});
		stream.on("drain", () => ring.outputRoomAgain());
		stream.on("end", () => stream.destroy());
		stream.on("close", () => this.leave());
		ring.join(this);
		if (ring.hasInputRoom) stream.resume();
		else stream.pause();
	}

	/** Idempotent. */
	leave(): void {
		this.#ring.leave(this);
	}

	take(bytes: Uint8Array): number {
		if (this.#stream.destroyed) {
			this.leave();
			return 0;
		}
		if (this.#stream.writableNeedDrain) return 0;
		this.#stream.write(bytes);
		return bytes.length;
	}

	inputRoomAgain(): void {
		this.#stream.resume();
	}
}
