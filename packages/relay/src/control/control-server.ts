import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { RelayNotificationName, RelayNotifications } from "@bulkhead/api/relay";
import { listen, removeSocket } from "@bulkhead/console";
import type { RelayLog } from "../relay-log.ts";
import { ControlConnection, type RelayHandlers } from "./control-connection.ts";

export interface ControlServerOptions {
	path: string;
	handlers: RelayHandlers;
	/** Whether the process at the other end may ask anything. */
	admit: (socket: Socket) => boolean;
	log: RelayLog;
}

const MOST_PEERS = 16;

/** The control socket. Every peer gets every notification. */
export class ControlServer {
	readonly #path: string;
	readonly #server: Server;
	readonly #peers: Map<Socket, ControlConnection>;

	/** Mode 0600. */
	static async open({ path, handlers, admit, log }: ControlServerOptions): Promise<ControlServer> {
		const peers = new Map<Socket, ControlConnection>();
		const server = createServer((socket) => {
			if (peers.size >= MOST_PEERS || !admit(socket)) {
				socket.destroy();
				return;
			}
			socket.on("error", () => {}); // "close" follows
			socket.once("close", () => peers.delete(socket));
			peers.set(socket, new ControlConnection(socket, handlers, log));
		});
		await listen(server, path);
		chmodSync(path, 0o600);
		return new ControlServer(path, server, peers);
	}

	private constructor(path: string, server: Server, peers: Map<Socket, ControlConnection>) {
		this.#path = path;
		this.#server = server;
		this.#peers = peers;
	}

	notify<N extends RelayNotificationName>(notification: N, params: RelayNotifications[N]): void {
		for (const peer of this.#peers.values()) peer.send({ notification, params });
	}

	close(): void {
		this.#server.close();
		removeSocket(this.#path);
		for (const socket of this.#peers.keys()) socket.destroy();
	}
}
