import type { Server, Socket } from "node:net";
import type { ChannelDoor } from "./channel-door.ts";
import type { ChannelRing } from "./channel-ring.ts";
import { StreamEnd } from "./stream-end.ts";

const MOST_WAITING = 8;

/**
 * A channel as a listening socket with one client at a time: others are let in when their turn comes. A TLS server's
 * clients are those that have shaken hands.
 */
export class ListeningDoor implements ChannelDoor {
	readonly #server: Server;
	readonly #ring: ChannelRing;
	/** The first one is served. */
	readonly #clients: Socket[] = [];
	#served: StreamEnd | undefined;

	/** Takes over a server that has been told to listen. */
	constructor(server: Server, ring: ChannelRing, event: "connection" | "secureConnection") {
		this.#server = server;
		this.#ring = ring;
		server.on(event, (socket: Socket) => this.#admit(socket));
	}

	get clients(): number {
		return this.#clients.length;
	}

	close(): void {
		this.#server.close();
		for (const socket of this.#clients.splice(0)) socket.destroy();
	}

	#admit(socket: Socket): void {
		socket.on("error", () => {}); // "close" follows
		if (this.#clients.length > MOST_WAITING || this.#ring.ended) {
			socket.destroy();
			return;
		}
		this.#clients.push(socket);
		socket.once("close", () => this.#gone(socket));
		if (this.#clients.length === 1) this.#serve(socket);
		else socket.pause();
	}

	#gone(socket: Socket): void {
		const at = this.#clients.indexOf(socket);
		if (at === -1) return;
		this.#clients.splice(at, 1);
		if (at > 0) return;
		this.#served?.leave();
		const [next] = this.#clients;
		if (next) this.#serve(next);
	}

	#serve(socket: Socket): void {
		if (!this.#ring.ended) this.#served = new StreamEnd(socket, this.#ring);
	}
}
