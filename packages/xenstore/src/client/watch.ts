import { CancelledError } from "@bulkhead/base";
import { watchPath } from "../path.ts";
import type { RequestOptions } from "../view.ts";
import { encodeStrings } from "../wire/payload.ts";
import type { Connection } from "./connection.ts";
import { WatchQueue } from "./watch-queue.ts";

export interface WatchOptions extends RequestOptions {
	/** Different paths kept for a slow consumer; above that they give way to the watched path. Default 1024. */
	queueLimit?: number;
}

const DEFAULT_QUEUE_LIMIT = 1024;

/**
 * The paths at or below the watched one that change. xenstored sends the watched path once at the beginning, so reading
 * after each event misses nothing. For one consumer; leaving the loop ends the watch, and so does `close`.
 *
 * The iteration throws CancelledError when the signal aborts, and XenstoreError when xenstored refuses the watch or is
 * lost. After `close` it ends normally.
 */
export class XenstoreWatch implements AsyncIterableIterator<string>, AsyncDisposable {
	/** Settles when xenstored has taken the watch: changes from then on are seen. Rejects as the iteration would. */
	readonly ready: Promise<void>;
	readonly #connection: Connection;
	readonly #path: string;
	readonly #queue: WatchQueue;
	readonly #signal: AbortSignal | undefined;
	readonly #token: string;
	readonly #forgetConnection: () => void;
	#isOver = false;
	/** xenstored has been asked to watch. */
	#isTold = false;

	/** @throws InvalidInputError */
	constructor(connection: Connection, path: string, { signal, queueLimit = DEFAULT_QUEUE_LIMIT }: WatchOptions) {
		this.#connection = connection;
		this.#path = watchPath(path);
		this.#queue = new WatchQueue(path, queueLimit);
		this.#signal = signal;
		this.#token = connection.addWatcher((changed) => this.#queue.push(changed));
		this.#forgetConnection = connection.onClose((error) => this.#fail(error));
		this.ready = this.#start();
		// The iteration reports it too: whoever does not await `ready` misses nothing.
		this.ready.catch(() => {});
	}

	next(): Promise<IteratorResult<string>> {
		return this.#queue.next();
	}

	async return(): Promise<IteratorResult<string>> {
		this.close();
		return { done: true, value: undefined };
	}

	[Symbol.asyncIterator](): this {
		return this;
	}

	/** Safe to repeat. Does not wait for xenstored: no event is handed out after this. */
	close(): void {
		this.#queue.close();
		this.#release();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.close();
	}

	async #start(): Promise<void> {
		if (this.#signal?.aborted) {
			this.#abort();
			throw this.#cancelled();
		}
		this.#signal?.addEventListener("abort", this.#abort, { once: true });
		this.#isTold = true;
		try {
			await this.#connection.request({ operation: "WATCH", path: this.#path, payload: this.#payload() });
		} catch (error) {
			this.#isTold = false;
			this.#fail(error);
			throw error;
		}
		if (this.#signal?.aborted) throw this.#cancelled();
	}

	readonly #abort = (): void => this.#fail(this.#cancelled());

	#fail(error: unknown): void {
		this.#queue.fail(error);
		this.#release();
	}

	#release(): void {
		if (this.#isOver) return;
		this.#isOver = true;
		this.#signal?.removeEventListener("abort", this.#abort);
		this.#forgetConnection();
		this.#connection.removeWatcher(this.#token);
		if (!this.#isTold) return;
		// A failure means that the connection or the watch is gone, and either is told elsewhere.
		this.#connection.request({ operation: "UNWATCH", path: this.#path, payload: this.#payload() }).catch(() => {});
	}

	#payload(): Buffer {
		return encodeStrings(this.#path, this.#token);
	}

	#cancelled(): CancelledError {
		return new CancelledError(`Stopped watching ${this.#path}`, { cause: this.#signal?.reason });
	}
}
