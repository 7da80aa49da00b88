import { connect, type Socket } from "node:net";
import { BulkheadError, CancelledError, InvalidInputError, ProtocolError, withDeadline } from "@bulkhead/base";
import * as z from "zod";
import { RELAY_LIMITS } from "./limits.ts";
import { LineSplitter } from "./line-splitter.ts";
import { type ServerLine, serverLine } from "./messages.ts";
import type { RelayMethod, RelayNotification, RelayParams, RelayResult } from "./methods.ts";
import { RelayError } from "./relay-error.ts";
import { RELAY_METHODS, RELAY_NOTIFICATIONS } from "./schemas.ts";

interface Pending {
	method: RelayMethod;
	resolve: (result: unknown) => void;
	reject: (error: Error) => void;
}

export interface ConnectRelay {
	/** Path of the relay's control socket. */
	path: string;
	timeoutMs: number;
	signal?: AbortSignal;
	/** Called in order of arrival; register here so that none is missed. */
	onNotification?: (notification: RelayNotification) => void;
	/** Called once, with the reason when the connection was not closed from here. */
	onClose?: (error: Error | undefined) => void;
}

/**
 * A connection to the relay. Requests run concurrently and are matched by id; each has its own deadline. There is no
 * reconnecting here: after `onClose` connect anew, say `hello` and attach what is missing.
 */
export class RelayClient {
	readonly #socket: Socket;
	readonly #options: ConnectRelay;
	readonly #lines = new LineSplitter(RELAY_LIMITS.lineBytes);
	readonly #pending = new Map<number, Pending>();
	#nextId = 1;
	#closed = false;

	/** @throws BulkheadError `relay-unreachable`; DeadlineError; CancelledError */
	static async connect(options: ConnectRelay): Promise<RelayClient> {
		const socket = connect({ path: options.path });
		try {
			const connected = new Promise<void>((resolve, reject) => {
				socket.once("connect", resolve);
				socket.once("error", reject);
			});
			await withDeadline(connected, { timeoutMs: options.timeoutMs, signal: options.signal, what: "the relay" });
		} catch (error) {
			socket.on("error", () => {});
			socket.destroy();
			if (error instanceof BulkheadError) throw error;
			throw new BulkheadError("relay-unreachable", `Cannot reach the relay at ${options.path}`, {
				remedy: "Start bulkhead-relay, or look into its log",
				cause: error,
				fields: { path: options.path },
			});
		}
		return new RelayClient(socket, options);
	}

	private constructor(socket: Socket, options: ConnectRelay) {
		this.#socket = socket;
		this.#options = options;
		let failure: Error | undefined;
		socket.on("data", (chunk) => this.#receive(chunk));
		socket.on("error", (error) => {
			failure = error;
		});
		socket.on("close", () => this.#finish(failure ?? (this.#closed ? undefined : lost())));
	}

	get closed(): boolean {
		return this.#closed;
	}

	/**
	 * Sends one request and awaits its answer. After a deadline the answer, should it still come, is ignored.
	 * @throws RelayError when the relay refused; DeadlineError; CancelledError; BulkheadError `relay-lost`
	 */
	async request<M extends RelayMethod>(
		method: M,
		params: RelayParams<M>,
		options: { timeoutMs: number; signal?: AbortSignal },
	): Promise<RelayResult<M>> {
		if (this.#closed) throw lost();
		if (this.#pending.size >= RELAY_LIMITS.requests)
			throw new InvalidInputError("Too many requests to the relay are in flight", { fields: { method } }, "relay-busy");
		const id = this.#nextId++;
		const answer = new Promise<unknown>((resolve, reject) => {
			this.#pending.set(id, { method, resolve, reject });
		});
		this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
		try {
			return (await withDeadline(answer, { ...options, what: `the relay's answer to ${method}` })) as RelayResult<M>;
		} finally {
			const pending = this.#pending.get(id);
			// The id stays known (as an answer to ignore) until the relay has answered or the connection is gone.
			if (pending) this.#pending.set(id, { method, resolve: () => {}, reject: () => {} });
		}
	}

	/** Ends the connection; pending requests fail with CancelledError. Idempotent. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#socket.destroy();
		this.#failPending(new CancelledError("Closed the connection to the relay"));
	}

	#receive(chunk: Uint8Array): void {
		if (this.#closed) return;
		try {
			for (const line of this.#lines.push(chunk)) this.#take(line);
		} catch (error) {
			this.#socket.destroy(error instanceof Error ? error : new ProtocolError(String(error)));
		}
	}

	#take(line: string): void {
		const message = parseServerLine(line);
		if ("notification" in message) this.#notify(message.notification, message.params);
		else this.#settle(message);
	}

	#settle(message: Exclude<ServerLine, { notification: string }>): void {
		const pending = this.#pending.get(message.id);
		if (!pending) throw new ProtocolError(`Relay answered request ${message.id} that nobody made`);
		this.#pending.delete(message.id);
		if ("error" in message) {
			pending.reject(new RelayError(message.error));
			return;
		}
		const result = RELAY_METHODS[pending.method].result.safeParse(message.result);
		if (result.success) pending.resolve(result.data);
		else pending.reject(new ProtocolError(`Relay's answer to ${pending.method} is malformed`, { cause: result.error }));
	}

	#notify(name: string, params: unknown): void {
		// A newer relay may tell more than we know.
		if (!Object.hasOwn(RELAY_NOTIFICATIONS, name)) return;
		const known = name as RelayNotification["name"];
		const parsed = RELAY_NOTIFICATIONS[known].safeParse(params);
		if (!parsed.success)
			throw new ProtocolError(`Relay's notification ${known} is malformed: ${z.prettifyError(parsed.error)}`);
		this.#options.onNotification?.({ name: known, params: parsed.data } as RelayNotification);
	}

	#finish(error: Error | undefined): void {
		this.#closed = true;
		this.#failPending(error === undefined ? new CancelledError("Closed the connection to the relay") : lost(error));
		this.#options.onClose?.(error);
	}

	#failPending(error: Error): void {
		const pending = [...this.#pending.values()];
		this.#pending.clear();
		for (const { reject } of pending) reject(error);
	}
}

function parseServerLine(line: string): ServerLine {
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch (error) {
		throw new ProtocolError("Relay sent a line that is not JSON", { cause: error });
	}
	const parsed = serverLine.safeParse(value);
	if (!parsed.success) throw new ProtocolError("Relay sent an unknown kind of line", { cause: parsed.error });
	return parsed.data;
}

function lost(cause?: Error): BulkheadError {
	if (cause instanceof BulkheadError && cause.code === "relay-lost") return cause;
	return new BulkheadError("relay-lost", "Lost the connection to the relay", { cause });
}
