import type { Socket } from "node:net";
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
import { ClientSocket } from "./client-socket.ts";
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

/**
 * The socket for `bulkhead console`: one JSON line each way, then frames to the client and raw input from it. Once it is
 * destroyed, sessions, which got no `ended` frame, will look for the next relay.
 */
export function openFramedSocket({ path, find, admit = () => true }: FramedConsoleOptions): Promise<ClientSocket> {
	return ClientSocket.open({ path, most: MOST_CLIENTS, admit, serve: (socket) => void serve(socket, find) });
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
