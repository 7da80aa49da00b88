import { setMaxListeners } from "node:events";
import { CancelledError } from "@bulkhead/base";
import type { Operation } from "../wire/operations.ts";

/** A request whose reply is awaited. Settles once; what comes later is ignored. */
export class PendingReply {
	readonly operation: Operation;
	readonly path: string | undefined;
	/** Bytes of the request's payload. */
	readonly length: number;
	/** On the clock of performance.now(). */
	deadline: number = Number.POSITIVE_INFINITY;
	#settle: { resolve: (payload: Buffer) => void; reject: (error: unknown) => void } | undefined;
	#signal: AbortSignal | undefined;

	constructor(operation: Operation, path: string | undefined, length: number) {
		this.operation = operation;
		this.path = path;
		this.length = length;
	}

	/** @throws CancelledError when the signal aborts */
	await(signal: AbortSignal | undefined): Promise<Buffer> {
		return new Promise((resolve, reject) => {
			this.#settle = { resolve, reject };
			if (!signal) return;
			this.#signal = signal;
			// One signal may well stop hundreds of requests: no leak that Node should warn of.
			setMaxListeners(0, signal);
			if (signal.aborted) this.#abort();
			else signal.addEventListener("abort", this.#abort, { once: true });
		});
	}

	resolve(payload: Buffer): void {
		this.#take()?.resolve(payload);
	}

	reject(error: unknown): void {
		this.#take()?.reject(error);
	}

	readonly #abort = (): void => {
		this.reject(new CancelledError(`Stopped waiting for ${this.operation}`, { cause: this.#signal?.reason }));
	};

	#take(): { resolve: (payload: Buffer) => void; reject: (error: unknown) => void } | undefined {
		const settle = this.#settle;
		this.#settle = undefined;
		this.#signal?.removeEventListener("abort", this.#abort);
		this.#signal = undefined;
		return settle;
	}
}
