import type { Socket } from "node:net";
import type { ChannelDoor } from "./channel-door.ts";
import type { ChannelRing } from "./channel-ring.ts";
import { StreamEnd } from "./stream-end.ts";

export interface CallOptions {
	/** Begins to connect; `ready` is the event that says it is done, a TLS handshake included. */
	dial: () => { socket: Socket; ready: "connect" | "secureConnect" };
	/** A try has failed, or a connection broke: said once until the next that works. */
	onTrouble: (error: Error | undefined) => void;
	connectMs?: number;
	retryMs?: { first: number; longest: number };
}

const CONNECT_MS = 10_000;
const RETRY_MS = { first: 500, longest: 30_000 };

/** A channel as a connection that we make, and make again for as long as the channel is served. */
export class CallingDoor implements ChannelDoor {
	readonly #options: CallOptions;
	readonly #ring: ChannelRing;
	#socket: Socket | undefined;
	#timer: NodeJS.Timeout | undefined;
	#pauseMs: number;
	#connected = false;
	#trouble: string | undefined;
	#closed = false;

	constructor(ring: ChannelRing, options: CallOptions) {
		this.#ring = ring;
		this.#options = options;
		this.#pauseMs = this.#retry.first;
		this.#call();
	}

	get clients(): number {
		return this.#connected ? 1 : 0;
	}

	get trouble(): string | undefined {
		return this.#trouble;
	}

	close(): void {
		this.#closed = true;
		clearTimeout(this.#timer);
		this.#socket?.destroy();
	}

	get #retry(): { first: number; longest: number } {
		return this.#options.retryMs ?? RETRY_MS;
	}

	#call(): void {
		const { dial, connectMs = CONNECT_MS } = this.#options;
		const { socket, ready } = dial();
		this.#socket = socket;
		let failure: Error | undefined;
		const deadline = setTimeout(() => socket.destroy(new Error(`No answer within ${connectMs} ms`)), connectMs);
		socket.on("error", (error) => {
			failure = error;
		});
		socket.once(ready, () => {
			clearTimeout(deadline);
			if (this.#ring.ended) return;
			this.#connected = true;
			this.#trouble = undefined;
			this.#pauseMs = this.#retry.first;
			new StreamEnd(socket, this.#ring);
		});
		socket.once("close", () => {
			clearTimeout(deadline);
			this.#connected = false;
			if (this.#closed) return;
			if (this.#trouble === undefined) this.#options.onTrouble(failure);
			this.#trouble = failure?.message ?? "The connection was closed";
			this.#timer = setTimeout(() => this.#call(), this.#pauseMs);
			this.#timer.unref();
			this.#pauseMs = Math.min(2 * this.#pauseMs, this.#retry.longest);
		});
	}
}
