import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { listen, removeSocket } from "./listen.ts";

export interface ClientSocketOptions {
	path: string;
	/** Clients at once: one more is closed at once. */
	most: number;
	/** Refuses a connection before a byte of it is read. */
	admit: (socket: Socket) => boolean;
	/** It may end each way by itself, and is paused. */
	serve: (socket: Socket) => void;
}

/** A unix socket for a limited number of clients. */
export class ClientSocket {
	readonly path: string;
	readonly #server: Server;
	readonly #clients: Set<Socket>;

	/** Replaces a stale socket of that path. Mode 0600. @throws BulkheadError `cannot-listen`; InvalidInputError for a path that is too long */
	static async open({ path, most, admit, serve }: ClientSocketOptions): Promise<ClientSocket> {
		const clients = new Set<Socket>();
		const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
			if (clients.size >= most || !admit(socket)) {
				socket.destroy();
				return;
			}
			clients.add(socket);
			socket.on("error", () => {}); // "close" follows
			socket.once("close", () => clients.delete(socket));
			serve(socket);
		});
		await listen(server, path);
		chmodSync(path, 0o600);
		return new ClientSocket(path, server, clients);
	}

	private constructor(path: string, server: Server, clients: Set<Socket>) {
		this.path = path;
		this.#server = server;
		this.#clients = clients;
	}

	/** No new clients. */
	close(): void {
		this.#server.close();
		removeSocket(this.path);
	}

	/** Clients go at once. */
	destroy(): void {
		this.close();
		for (const client of this.#clients) client.destroy();
	}
}
