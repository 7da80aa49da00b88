import type { Socket } from "node:net";
import type { HostDevices } from "@bulkhead/hypervisor";
import type { ConsoleBackend } from "../backend/console-backend.ts";
import type { WriterSeat } from "../backend/writer-seat.ts";
import { ClientSocket } from "./client-socket.ts";
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
 * connects; the first one types. A client that ends its direction still reads on and leaves the seat to the next. Once it is
 * closed, those who are there get what is left of a console that has ended.
 */
export function openRawSocket(path: string, options: RawConsoleOptions): Promise<ClientSocket> {
	const admit = (): boolean => options.backend.ended === undefined;
	return ClientSocket.open({ path, most: MOST_READERS, admit, serve: (socket) => serve(socket, options) });
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
	socket.on("close", () => {
		clearInterval(gonePoll);
		input.leave();
		feed.close();
	});
	feed.start();
	input.start();
}
