import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { BulkheadError, serializeError, type Uuid } from "@bulkhead/base";
import { type ConsoleBackend, REPLACED } from "../backend/console-backend.ts";
import type { ReadFrom } from "../backend/console-reader.ts";
import type { WriterSeat } from "../backend/writer-seat.ts";
import { readFirstLine } from "../session/first-line.ts";
import { encodeCount, encodeData, encodeEnded } from "../session/frames.ts";
import {
	parseRequest,
	type SessionAnswer,
	type SessionRefusal,
	type SessionRequest,
} from "../session/session-lines.ts";
import { listen, removeSocket } from "./listen.ts";
import { SocketInput } from "./socket-input.ts";
import { type FeedFormat, StreamFeed } from "./stream-feed.ts";

/** A console that can be asked for by name. */
export interface FindableConsole {
	readonly backend: ConsoleBackend;
	readonly seat: WriterSeat;
}

export interface FramedConsoleOptions {
	path: string;
	find: (guest: Uuid, label: string) => FindableConsole | undefined;
	/** Refuses a connection before a byte of it is read. */
	admit?: (socket: Socket) => boolean;
}

const FRAMED: FeedFormat = {
	data: encodeData,
	gap: (bytes) => encodeCount("gap", bytes),
	ended: (reason) => (reason === REPLACED ? undefined : encodeEnded(reason)),
};
const REQUEST_MS = 5000;
const MOST_CLIENTS = 256;

/** The socket for `bulkhead console`: one JSON line each way, then frames to the client and raw input from it. */
export class FramedConsoleSocket {
	readonly path: string;
	readonly #server: Server;
	readonly #sockets: Set<Socket>;

	/** Replaces a stale socket of that path. Mode 0600. */
	static async open(options: FramedConsoleOptions): Promise<FramedConsoleSocket> {
		const sockets = new Set<Socket>();
		const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
			if (sockets.size >= MOST_CLIENTS || options.admit?.(socket) === false) {
				socket.destroy();
				return;
			}
			sockets.add(socket);
			socket.on("error", () => {}); // "close" follows
			socket.once("close", () => sockets.delete(socket));
			void serve(socket, options.find);
		});
		await listen(server, options.path);
		chmodSync(options.path, 0o600);
		return new FramedConsoleSocket(options.path, server, sockets);
	}

	private constructor(path: string, server: Server, sockets: Set<Socket>) {
		this.path = path;
		this.#server = server;
		this.#sockets = sockets;
	}

	/** Ends every connection without an `ended` frame: sessions will look for the next relay. */
	close(): void {
		this.#server.close();
		removeSocket(this.path);
		for (const socket of this.#sockets) socket.destroy();
	}
}

async function serve(socket: Socket, find: FramedConsoleOptions["find"]): Promise<void> {
	try {
		const { line, rest } = await readFirstLine(socket, { timeoutMs: REQUEST_MS, what: "a console request" });
		const request = parseRequest(line);
		const console = find(request.guest, request.console);
		if (!console || console.backend.ended !== undefined) throw noConsole(request);
		attend(socket, console, request, rest);
	} catch (error) {
		const { code, message, remedy } = serializeError(error);
		const refusal: SessionRefusal = { ok: false, error: { code, message, remedy } };
		socket.end(`${JSON.stringify(refusal)}\n`, () => socket.destroy());
	}
}

function attend(socket: Socket, { backend, seat }: FindableConsole, request: SessionRequest, rest: Uint8Array): void {
	if (socket.destroyed) return;
	const feed = new StreamFeed(socket, backend, startingPoint(request, backend), FRAMED);
	const inputOffset = backend.input.counterAfterQueue;
	const input = request.input
		? new SocketInput(socket, backend, seat, {
				onDelivered: (counter) => socket.write(encodeCount("acknowledged", counter)),
				onWriter: (counter) => socket.write(encodeCount("writer", counter)),
			})
		: undefined;
	socket.on("end", () => socket.destroy()); // A client that says no more is gone: framed clients do not half-close.
	socket.on("close", () => {
		input?.leave();
		feed.close();
	});
	const answer: SessionAnswer = {
		ok: true,
		stream: backend.journal.stream,
		ring: backend.ringId,
		offset: feed.offset,
		end: backend.journal.end,
		inputOffset,
		writer: input?.writer ?? false,
	};
	socket.write(`${JSON.stringify(answer)}\n`);
	feed.start();
	if (input) input.start(rest);
	else socket.resume(); // to notice its end
}

function startingPoint({ from, stream }: SessionRequest, backend: ConsoleBackend): ReadFrom {
	if (typeof from === "number" && stream !== undefined && stream !== backend.journal.stream) return "start";
	return from;
}

function noConsole({ guest, console: label }: SessionRequest): BulkheadError {
	return new BulkheadError("no-such-console", `Guest ${guest} has no console ${JSON.stringify(label)} here`, {
		remedy: "Look at the guest's list of consoles, and whether it runs",
	});
}
