import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { HostDevices } from "@bulkhead/hypervisor";
import type { ConsoleBackend } from "../backend/console-backend.ts";
import type { WriterSeat } from "../backend/writer-seat.ts";
import { listen, removeSocket } from "./listen.ts";
import { socketFd } from "./socket-fd.ts";
import { SocketInput } from "./socket-input.ts";
import { type FeedFormat, StreamFeed } from "./stream-feed.ts";

const RAW: FeedFormat = { data: (bytes) => bytes, gap: () => undefined, ended: () => undefined };
const MOST_READERS = 16;
const GONE_POLL_MS = 500;

export interface RawConsoleOptions {
	backend: ConsoleBackend;
	seat: WriterSeat;
	/** To tell a client that only ended its input (no hang-up) from one that is gone. */
	devices: Pick<HostDevices, "pollFd">;
}

/**
 * A console as a unix stream socket of raw bytes, for socat and the like. Every client reads from the moment it
 * connects; the first one types. A client that ends its direction still reads on and leaves the seat to the next.
 */
export class RawConsoleSocket {
	readonly path: string;
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();

	/** Replaces a stale socket of that path. Mode 0600. */
	static async open(path: string, options: RawConsoleOptions): Promise<RawConsoleSocket> {
		const { backend } = options;
		const sockets = new Set<Socket>();
		const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
			if (sockets.size >= MOST_READERS || backend.ended !== undefined) {
				socket.destroy();
				return;
			}
			sockets.add(socket);
			socket.once("close", () => sockets.delete(socket));
			serve(socket, options);
		});
		await listen(server, path);
		chmodSync(path, 0o600);
		return new RawConsoleSocket(path, server, sockets);
	}

	private constructor(path: string, server: Server, sockets: Set<Socket>) {
		this.path = path;
		this.#server = server;
		this.#sockets = sockets;
	}

	/** No new clients; those there drain first when the console has ended. */
	close(): void {
		this.#server.close();
		removeSocket(this.path);
	}

	/** Clients go at once. */
	destroy(): void {
		this.close();
		for (const socket of this.#sockets) socket.destroy();
	}
}

function serve(socket: Socket, { backend, seat, devices }: RawConsoleOptions): void {
	let gonePoll: NodeJS.Timeout | undefined;
	const input = new SocketInput(socket, backend, seat);
	const feed = new StreamFeed(socket, backend, "live", RAW);
	socket.on("end", () => {
		input.leave();
		gonePoll = setInterval(() => {
			const fd = socketFd(socket);
			if (fd === undefined || devices.pollFd(fd).hangup) socket.destroy();
		}, GONE_POLL_MS);
		gonePoll.unref();
	});
	socket.on("error", () => {}); // "close" follows
	socket.on("close", () => {
		clearInterval(gonePoll);
		input.leave();
		feed.close();
	});
	feed.start();
	input.start();
}
