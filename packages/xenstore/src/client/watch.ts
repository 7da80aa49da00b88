import { CancelledError, InvalidInputError } from "@bulkhead/base";
import { XenstoreError } from "../errors.ts";
import { watchPath } from "../path.ts";
import type { RequestOptions } from "../view.ts";
import { encodeStrings } from "../wire/payload.ts";
import type { Connection } from "./connection.ts";
import { ServerSettings } from "./server-settings.ts";
import { WatchQueue } from "./watch-queue.ts";

export interface WatchOptions extends RequestOptions {
	/** Different paths kept for a slow consumer; above that they give way to the watched path. Default 1024. */
	queueLimit?: number;
	/**
	 * Levels below the path that count: 0 is the path alone. Needs a xenstored that knows depths, which is asked first;
	 * others make the watch fail with XenstoreError `xenstore-unsupported`. With a special name only 1 has a meaning: the
	 * events then tell the domid, as in `@releaseDomain/7`.
	 */
	depth?: number;
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
	readonly #depth: number | undefined;
	readonly #token: string;
	readonly #forgetConnection: () => void;
	#isOver = false;
	/** xenstored has been asked to watch. */
	#isTold = false;

	/** @throws InvalidInputError */
	constructor(connection: Connection, path: string, { signal, queueLimit = DEFAULT_QUEUE_LIMIT, depth }: WatchOptions) {
		this.#connection = connection;
		this.#path = watchPath(path);
		this.#depth = checkDepth(depth);
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
		try {
			if (this.#depth !== undefined && !(await this.#mayGiveDepth())) return;
			this.#isTold = true;
			const payload = this.#payload(this.#depth);
			await this.#connection.request({ operation: "WATCH", path: this.#path, payload });
		} catch (error) {
			this.#isTold = false;
			this.#fail(error);
			throw error;
		}
		if (this.#signal?.aborted) throw this.#cancelled();
	}

	/** False when the watch is over meanwhile. @throws XenstoreError `xenstore-unsupported` */
	async #mayGiveDepth(): Promise<boolean> {
		const features = await new ServerSettings(this.#connection).features();
		if (!features.has("watchDepth"))
			throw new XenstoreError("xenstore-unsupported", "This xenstored does not limit watches to a depth", {
				operation: "WATCH",
				path: this.#path,
				remedy: "Watch without a depth and ignore the paths further below",
			});
		return !this.#isOver;
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
		const unwatch = { operation: "UNWATCH", path: this.#path, payload: this.#payload(), isRelease: true } as const;
		this.#connection.request(unwatch).catch(() => {});
	}

	#payload(depth?: number): Buffer {
		return encodeStrings(this.#path, this.#token, ...(depth === undefined ? [] : [depth]));
	}

	#cancelled(): CancelledError {
		return new CancelledError(`Stopped watching ${this.#path}`, { cause: this.#signal?.reason });
	}
}

function checkDepth(depth: number | undefined): number | undefined {
	if (depth === undefined || (Number.isInteger(depth) && depth >= 0 && depth <= 0xffff)) return depth;
	throw new InvalidInputError(`Value ${depth} is no depth of a watch`);
}
