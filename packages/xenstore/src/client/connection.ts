import type { Duplex } from "node:stream";
import { CancelledError, DeadlineError, InvalidInputError, ProtocolError } from "@bulkhead/base";
import { refusal, XenstoreError } from "../errors.ts";
import type { Transport } from "../transport/open-transport.ts";
import type { RequestOptions } from "../view.ts";
import { LIMITS } from "../wire/limits.ts";
import type { Message } from "../wire/message.ts";
import { MessageParser } from "../wire/message-parser.ts";
import { findOperation, OPERATION, type Operation } from "../wire/operations.ts";
import { decodeText, decodeWatchEvent } from "../wire/payload.ts";
import { Backlog } from "./backlog.ts";
import { Outbox } from "./outbox.ts";
import { PendingReply } from "./pending-reply.ts";

export interface Request {
	operation: Operation;
	payload: Buffer;
	/** For error texts. */
	path?: string;
	transactionId?: number;
	/** Gives back what xenstored holds for us: sent however much is unanswered. */
	isRelease?: boolean;
}

export interface ConnectionLimits {
	/** For each reply. */
	requestTimeoutMs: number;
	/** Of requests without an answer, with what they hold here. */
	backlogBytes: number;
}

export interface ConnectionStats {
	requests: number;
	replies: number;
	watchEvents: number;
	/** Transactions begun, each retry counted. */
	transactions: number;
	/** Transactions that xenstored refused with EAGAIN. */
	conflicts: number;
}

const LAST_REQUEST_ID = 0xffff_ffff;
/** A request is given up after its time-out, and at most one such part later. */
const TICKS_OF_TIMEOUT = 16;
const NO_OPTIONS: RequestOptions = {};

/**
 * One conversation with xenstored: matches replies to requests by id, hands out watch events, and ends for good at the
 * first sign that the conversation is broken. A request that is alone leaves at once; those that one turn of the event
 * loop adds to it leave in one write.
 */
export class Connection {
	readonly stats: ConnectionStats = { requests: 0, replies: 0, watchEvents: 0, transactions: 0, conflicts: 0 };
	readonly #stream: Duplex;
	readonly #outbox: Outbox;
	readonly #backlog: Backlog;
	/** Bytes of payload that a request may have. */
	readonly payloadBytes: number;
	readonly #requestTimeoutMs: number;
	readonly #parser = new MessageParser({ payloadBytes: LIMITS.reply });
	/** In the order sent, which is the order in which they are given up. */
	readonly #pending = new Map<number, PendingReply>();
	readonly #watchers = new Map<string, (path: string) => void>();
	readonly #closeListeners = new Set<(error: XenstoreError) => void>();
	#lastId = 0;
	#lastToken = 0;
	/** A turn of the event loop in which requests are made. */
	#isTurnOpen = false;
	/** Time as this connection counts it: so many for each time-out. A clock would be one more system call for a request. */
	#ticks = 0;
	#ticking: NodeJS.Timeout | undefined;
	#end: XenstoreError | undefined;

	constructor({ stream, payloadBytes }: Transport, { requestTimeoutMs, backlogBytes }: ConnectionLimits) {
		this.#stream = stream;
		this.#outbox = new Outbox(stream);
		this.#backlog = new Backlog(backlogBytes);
		this.payloadBytes = payloadBytes;
		this.#requestTimeoutMs = requestTimeoutMs;
		stream.on("data", (chunk: Buffer) => this.#receive(chunk));
		stream.on("error", (error) => this.#lose(error));
		stream.on("end", () => this.#lose());
		stream.on("close", () => this.#lose());
	}

	/** Why the conversation is over, if it is. */
	get ended(): XenstoreError | undefined {
		return this.#end;
	}

	/** The reply's payload. */
	request(request: Request, { signal }: RequestOptions = NO_OPTIONS): Promise<Buffer> {
		const { operation, payload, isRelease = false } = request;
		if (this.#end) return Promise.reject(this.#end);
		if (payload.length > this.payloadBytes) return Promise.reject(this.tooLong(request));
		if (!isRelease && !this.#backlog.hasRoomFor(payload.length)) return Promise.reject(this.#overloaded(request));
		if (signal?.aborted)
			return Promise.reject(new CancelledError(`Stopped waiting for ${operation}`, { cause: signal.reason }));
		return new Promise((resolve, reject) => {
			const pending = new PendingReply(request, resolve, reject);
			if (signal) pending.heed(signal);
			this.#ask(request, pending);
		});
	}

	#ask({ payload, transactionId = 0 }: Request, pending: PendingReply): void {
		const requestId = this.#nextId();
		this.#pending.set(requestId, pending);
		this.#backlog.add(payload.length);
		this.stats.requests++;
		const message = { type: pending.replyType, requestId, transactionId, payload };
		// One that is alone waits for no others: this is what a round trip costs.
		if (this.#pending.size === 1 && !this.#isTurnOpen) this.#outbox.send(message);
		else this.#gather(message);
		if (this.#ticking === undefined) this.#startTicking();
		pending.givenUpAt = this.#ticks + TICKS_OF_TIMEOUT + 1;
	}

	/** Requests without an answer: how many, and the bytes that count for `backlogBytes`. */
	get backlog(): { requests: number; bytes: number } {
		return { requests: this.#pending.size, bytes: this.#backlog.bytes };
	}

	/** Resolves when the backlog is at most half full. @throws XenstoreError when the conversation ends; CancelledError */
	async room({ signal }: RequestOptions = {}): Promise<void> {
		if (this.#end) throw this.#end;
		await this.#backlog.room(signal);
	}

	/** A request that xenstored, or the kernel before it, would end the connection for. */
	tooLong({ operation, path, payload: { length } }: Request): InvalidInputError {
		return new InvalidInputError(`Request ${operation} takes ${length} bytes, more than xenstored accepts`, {
			fields: { operation, ...(path !== undefined && { path }), length, limit: this.payloadBytes },
		});
	}

	/** Receives the events of a token of this connection until `removeWatcher`. */
	addWatcher(onEvent: (path: string) => void): string {
		const token = `w${++this.#lastToken}`;
		this.#watchers.set(token, onEvent);
		return token;
	}

	removeWatcher(token: string): void {
		this.#watchers.delete(token);
	}

	/** Calls the listener once when the conversation ends; soon, when it has. Returns the way to take it back. */
	onClose(listener: (error: XenstoreError) => void): () => void {
		const { ended } = this;
		if (ended) queueMicrotask(() => listener(ended));
		else this.#closeListeners.add(listener);
		return () => {
			this.#closeListeners.delete(listener);
		};
	}

	close(): void {
		this.#finish(new XenstoreError("xenstore-closed", "The connection to xenstored was closed here"));
	}

	/** Messages are gathered until the turn of the event loop ends. */
	#gather(message: Message): void {
		this.#outbox.add(message);
		if (this.#isTurnOpen) return;
		this.#isTurnOpen = true;
		process.nextTick(this.#endTurn);
	}

	readonly #endTurn = (): void => {
		this.#isTurnOpen = false;
		this.#outbox.flush();
	};

	#overloaded({ operation, path }: Request): XenstoreError {
		const { requests, bytes } = this.backlog;
		return new XenstoreError("xenstore-overloaded", `xenstored has ${requests} requests to answer first`, {
			operation,
			path,
			remedy: "Await some of the requests, or `room()`, before making more",
			fields: { requests, bytes, limitBytes: this.#backlog.limitBytes },
		});
	}

	#nextId(): number {
		do this.#lastId = this.#lastId === LAST_REQUEST_ID ? 1 : this.#lastId + 1;
		while (this.#pending.has(this.#lastId));
		return this.#lastId;
	}

	#receive(chunk: Buffer): void {
		if (this.#end) return;
		try {
			this.#parser.push(chunk, this.#handle);
			this.#outbox.flush();
		} catch (error) {
			this.#lose(error);
		}
	}

	readonly #handle = (message: Message): void => {
		if (this.#end) return;
		if (message.type === OPERATION.WATCH_EVENT) this.#handleEvent(message);
		else this.#handleReply(message);
	};

	#handleReply(message: Message): void {
		const pending = this.#pending.get(message.requestId);
		if (!pending) throw new ProtocolError(`Reply to a request that was not made (id ${message.requestId})`);
		if (message.type !== OPERATION.ERROR && message.type !== pending.replyType) {
			const got = findOperation(message.type) ?? `type ${message.type}`;
			throw new ProtocolError(`Reply to ${pending.operation} is of another kind: ${got}`);
		}
		this.#pending.delete(message.requestId);
		this.#outbox.answered();
		this.#backlog.remove(pending.length);
		this.stats.replies++;
		if (message.type === OPERATION.ERROR)
			pending.reject(refusal(pending.operation, pending.path, decodeText(message.payload)));
		else pending.resolve(message.payload);
	}

	#handleEvent(message: Message): void {
		const { path, token } = decodeWatchEvent(message.payload);
		this.stats.watchEvents++;
		// An event may have been under way when its watch was taken away: no error.
		this.#watchers.get(token)?.(path);
	}

	#startTicking(): void {
		if (this.#end) return;
		this.#ticking = setInterval(() => this.#tick(), Math.ceil(this.#requestTimeoutMs / TICKS_OF_TIMEOUT)).unref();
	}

	/** Fails what has waited too long. Its entry stays, so that a late reply is known and ignored. */
	#tick(): void {
		this.#ticks++;
		let isAwaiting = false;
		for (const pending of this.#pending.values()) {
			if (pending.givenUpAt === undefined) continue;
			if (pending.givenUpAt > this.#ticks) {
				isAwaiting = true;
				break;
			}
			pending.givenUpAt = undefined;
			pending.reject(this.#unanswered(pending));
		}
		if (isAwaiting) return;
		clearInterval(this.#ticking);
		this.#ticking = undefined;
	}

	#unanswered({ operation, path }: PendingReply): DeadlineError {
		const timeoutMs = this.#requestTimeoutMs;
		return new DeadlineError(`xenstored did not answer ${operation} within ${timeoutMs} ms`, {
			fields: { operation, ...(path !== undefined && { path }), timeoutMs },
		});
	}

	#lose(cause?: unknown): void {
		const tail = cause instanceof ProtocolError ? "broke the protocol" : "ended the connection";
		this.#finish(
			new XenstoreError("xenstore-connection-lost", `xenstored ${tail}`, {
				cause,
				remedy: "Restart the daemon once xenstored runs again: it takes up the guests that still run",
			}),
		);
	}

	#finish(error: XenstoreError): void {
		if (this.#end) return;
		this.#end = error;
		clearInterval(this.#ticking);
		this.#stream.destroy();
		for (const pending of this.#pending.values()) pending.reject(error);
		this.#pending.clear();
		this.#backlog.end(error);
		this.#watchers.clear();
		for (const listener of this.#closeListeners) listener(error);
		this.#closeListeners.clear();
	}
}
