import type { Duplex } from "node:stream";
import { type DomId, type EvtchnPort, InvalidInputError, Mutex } from "@bulkhead/base";
import { runBatch, type XenstoreBatch } from "./client/batch.ts";
import { Connection, type ConnectionStats } from "./client/connection.ts";
import { NodeAccess } from "./client/node-access.ts";
import type { TransactionOptions } from "./client/retry-conflicts.ts";
import { ServerSettings } from "./client/server-settings.ts";
import { runTransaction } from "./client/transaction.ts";
import { type WaitForOptions, waitForValue } from "./client/wait-for.ts";
import { type WatchOptions, XenstoreWatch } from "./client/watch.ts";
import type { XenstoreError } from "./errors.ts";
import { openTransport, XENSTORED_SOCKET } from "./transport/open-transport.ts";
import type { RequestOptions, XenstoreView } from "./view.ts";
import { LIMITS } from "./wire/limits.ts";
import type { Operation } from "./wire/operations.ts";
import { decodeText, encodeStrings } from "./wire/payload.ts";

export interface ConnectOptions {
	/** xenstored's socket, or the device of a domain's own connection. Default: the socket. */
	path?: string;
	signal?: AbortSignal;
	/** For the connection to stand. Default 10 s. */
	timeoutMs?: number;
	/** For each reply. Default 60 s. */
	requestTimeoutMs?: number;
	/**
	 * Bytes that requests without an answer may hold here, some 0.5 KiB for a small one. More are refused with
	 * XenstoreError `xenstore-overloaded`. Default 16 MiB.
	 */
	backlogBytes?: number;
}

export interface StreamOptions extends Pick<ConnectOptions, "requestTimeoutMs" | "backlogBytes"> {
	/** Bytes of payload that a request may have. Default: the protocol's 4096. */
	payloadBytes?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const BACKLOG_BYTES = 16 * 1024 * 1024;

/**
 * A connection to xenstored. It does not reconnect: what xenstored held for it (watches, transactions) is gone with the
 * connection, and xenstored itself does not survive a restart in general. `onClose` tells the owner, who decides.
 */
export class XenstoreClient extends NodeAccess implements AsyncDisposable {
	/** @throws XenstoreError `xenstore-connection-lost` when nobody answers there; DeadlineError; CancelledError */
	static async connect({
		path = XENSTORED_SOCKET,
		signal,
		timeoutMs = CONNECT_TIMEOUT_MS,
		requestTimeoutMs = REQUEST_TIMEOUT_MS,
		backlogBytes = BACKLOG_BYTES,
	}: ConnectOptions = {}): Promise<XenstoreClient> {
		const transport = await openTransport(path, { signal, timeoutMs });
		return new XenstoreClient(new Connection(transport, { requestTimeoutMs, backlogBytes }));
	}

	/** Over a byte stream that leads to xenstored, such as a socket that is open already. The client closes it. */
	static over(
		stream: Duplex,
		{
			requestTimeoutMs = REQUEST_TIMEOUT_MS,
			backlogBytes = BACKLOG_BYTES,
			payloadBytes = LIMITS.payload,
		}: StreamOptions = {},
	): XenstoreClient {
		return new XenstoreClient(new Connection({ stream, payloadBytes }, { requestTimeoutMs, backlogBytes }));
	}

	/** Features and quotas, as far as this xenstored has them. */
	readonly server: ServerSettings;
	readonly #turns = new Mutex();

	private constructor(connection: Connection) {
		super(connection, 0);
		this.server = new ServerSettings(connection);
	}

	/** What has been asked and not been answered. */
	get backlog(): { requests: number; bytes: number } {
		return this.connection.backlog;
	}

	/**
	 * Resolves when at most half of `backlogBytes` is in use: whoever makes requests without awaiting each awaits this
	 * now and then, and so keeps xenstored's pace. @throws XenstoreError when the connection ends; CancelledError
	 */
	async room(options?: RequestOptions): Promise<void> {
		await this.connection.room(options);
	}

	/** Counters since the connection was made; live. */
	get stats(): Readonly<ConnectionStats> {
		return this.connection.stats;
	}

	/**
	 * Repeats the body while other writers interfere: it must not have effects of its own. Transactions and batches of one
	 * client wait for each other, as they would only make each other repeat: a body must not begin another.
	 * @throws XenstoreError
	 */
	async transaction<T>(body: (tx: XenstoreView) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
		return this.#turns.run(() => runTransaction(this.connection, body, options));
	}

	/** Changes in two round trips. A refused one does not hold back the others: see `fields.committed` of the error. */
	async batch(body: (batch: XenstoreBatch) => void, options: TransactionOptions = {}): Promise<void> {
		return this.#turns.run(() => runBatch(this.connection, body, options));
	}

	/** Begins at once, also when nobody iterates yet. @throws InvalidInputError */
	watch(path: string, options: WatchOptions = {}): XenstoreWatch {
		return new XenstoreWatch(this.connection, path, options);
	}

	/** Resolves to the first value that will do (undefined: no such node). */
	async waitFor(
		path: string,
		predicate: (value: string | undefined) => boolean,
		{ what = path, ...options }: WaitForOptions,
	): Promise<string | undefined> {
		return waitForValue(this.watch(path), () => this.find(path), predicate, { ...options, what });
	}

	/** Tells xenstored of a domain's ring: its frame and xenstored's end of the event channel. */
	async introduce(domid: DomId, frame: number, port: EvtchnPort | number, options?: RequestOptions): Promise<void> {
		if (!Number.isSafeInteger(frame) || frame < 0)
			throw new InvalidInputError(`Value ${frame} is not a frame number`, { fields: { domid } });
		await this.#request("INTRODUCE", [domid, frame, port], options);
	}

	/** Ends xenstored's connection to a domain. Not for domains being destroyed: xenstored sees those itself. */
	async release(domid: DomId, options?: RequestOptions): Promise<void> {
		await this.#request("RELEASE", [domid], options);
	}

	/** Lets a stub domain do what its guest may, until xenstored restarts. Both must be introduced. */
	async setTarget(stub: DomId, guest: DomId, options?: RequestOptions): Promise<void> {
		await this.#request("SET_TARGET", [stub, guest], options);
	}

	async domainPath(domid: DomId, options?: RequestOptions): Promise<string> {
		return decodeText(await this.#request("GET_DOMAIN_PATH", [domid], options));
	}

	async isIntroduced(domid: DomId, options?: RequestOptions): Promise<boolean> {
		return decodeText(await this.#request("IS_DOMAIN_INTRODUCED", [domid], options)) === "T";
	}

	/** Makes xenstored announce the domain's next shutdown again, after a suspend that was cancelled. */
	async resume(domid: DomId, options?: RequestOptions): Promise<void> {
		await this.#request("RESUME", [domid], options);
	}

	/** Ends all watches (and transactions) of this connection, on xenstored's side only. */
	async resetWatches(options?: RequestOptions): Promise<void> {
		await this.#request("RESET_WATCHES", [""], options);
	}

	/** A command of xenstored's own, such as `["check"]`; the text of its answer. */
	async control(command: readonly string[], options?: RequestOptions): Promise<string> {
		return decodeText(await this.#request("CONTROL", command, options));
	}

	/** Calls the listener once when the connection ends, with the reason: by xenstored's doing or by `close`. */
	onClose(listener: (error: XenstoreError) => void): () => void {
		return this.connection.onClose(listener);
	}

	/** Everything pending fails with `xenstore-closed`. Safe to repeat. */
	close(): void {
		this.connection.close();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.close();
	}

	#request(
		operation: Operation,
		strings: readonly (string | number)[],
		options: RequestOptions | undefined,
	): Promise<Buffer> {
		return this.connection.request({ operation, payload: encodeStrings(...strings) }, options);
	}
}
