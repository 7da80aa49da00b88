import type { Socket } from "node:net";
import type { ConsoleBackend } from "../backend/console-backend.ts";
import type { InputSource } from "../backend/console-input.ts";
import type { WriterCandidate, WriterSeat } from "../backend/writer-seat.ts";

export interface SocketInputEvents {
	/** Own bytes reached the ring. */
	onDelivered?: (counter: number) => void;
	/** This client has (still) the seat, and its input counts from here. */
	onWriter?: (counter: number) => void;
}

/**
 * A socket's input into a console: taken while this client has the writer's seat and the queue has room, dropped
 * while another has the seat. While the queue is full the socket is not read, so the client feels it.
 */
export class SocketInput implements InputSource, WriterCandidate {
	readonly #socket: Socket;
	readonly #backend: ConsoleBackend;
	readonly #seat: WriterSeat;
	readonly #events: SocketInputEvents;
	#left = false;

	constructor(socket: Socket, backend: ConsoleBackend, seat: WriterSeat, events: SocketInputEvents = {}) {
		this.#socket = socket;
		this.#backend = backend;
		this.#seat = seat;
		this.#events = events;
		backend.input.join(this);
		seat.join(this);
	}

	get writer(): boolean {
		return this.#seat.holds(this);
	}

	/** Begins to read; `first` was read already. */
	start(first: Uint8Array = new Uint8Array(0)): void {
		this.#socket.on("data", (chunk) => this.#take(chunk));
		this.#take(first);
		if (this.#backend.input.hasRoom) this.#socket.resume();
	}

	/** Gives the seat up; what was taken is still delivered. Idempotent. */
	leave(): void {
		if (this.#left) return;
		this.#left = true;
		this.#backend.input.leave(this);
		this.#seat.leave(this);
	}

	delivered(counter: number): void {
		this.#events.onDelivered?.(counter);
	}

	overtaken(counter: number): void {
		if (this.writer) this.#events.onWriter?.(counter);
	}

	roomAgain(): void {
		this.#socket.resume();
	}

	promoted(): void {
		this.#events.onWriter?.(this.#backend.input.counterAfterQueue);
	}

	#take(chunk: Uint8Array): void {
		if (this.#left || !this.writer || chunk.length === 0) return;
		this.#backend.type(this, chunk);
		if (!this.#backend.input.hasRoom) this.#socket.pause();
	}
}
