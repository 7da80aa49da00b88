import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { encodeMessage, type Message } from "../wire/message.ts";
import { MessageParser } from "../wire/message-parser.ts";
import { OPERATION } from "../wire/operations.ts";
import { encodeStrings } from "../wire/payload.ts";

/** Decides over a request that has arrived: it may be passed on now, later, or be turned into a conflict. */
export type Gate = (session: FakeSession, message: Message) => void;

/** One client's connection, between its socket and the server. */
export class FakeSession {
	readonly #socket: Socket;
	readonly #server: Duplex;
	readonly #parser = new MessageParser();
	readonly #replies = new MessageParser();
	/** Ends of transactions that are answered with EAGAIN whatever the server says. */
	readonly #conflicts = new Set<number>();

	constructor(socket: Socket, server: Duplex, gate: Gate) {
		this.#socket = socket;
		this.#server = server;
		socket.on("error", () => {});
		socket.on("close", () => server.destroy());
		socket.on("data", (chunk) => {
			try {
				this.#parser.push(chunk, (message) => gate(this, message));
			} catch {
				socket.destroy();
			}
		});
		server.on("data", (chunk: Buffer) => this.#replies.push(chunk, (message) => this.#answer(message)));
		server.on("close", () => socket.destroy());
	}

	pass(message: Message): void {
		this.#server.write(encodeMessage(message));
	}

	/** The transaction is dropped, and its client told that another one interfered. */
	passAsConflict(message: Message): void {
		this.#conflicts.add(message.requestId);
		this.pass({ ...message, payload: encodeStrings("F") });
	}

	destroy(): void {
		this.#socket.destroy();
	}

	/** Bytes of a broken xenstored. */
	sendRaw(bytes: Uint8Array): void {
		this.#socket.write(bytes);
	}

	#answer(message: Message): void {
		if (this.#socket.destroyed) return;
		const isConflict = message.type !== OPERATION.WATCH_EVENT && this.#conflicts.delete(message.requestId);
		const answer = isConflict ? { ...message, type: OPERATION.ERROR, payload: encodeStrings("EAGAIN") } : message;
		this.#socket.write(encodeMessage(answer));
	}
}
