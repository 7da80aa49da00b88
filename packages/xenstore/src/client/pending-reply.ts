import { setMaxListeners } from "node:events";
import { CancelledError } from "@bulkhead/base";
import { OPERATION, type Operation } from "../wire/operations.ts";
import type { Request } from "./connection.ts";

/** A request whose reply is awaited. Settles once; what comes later is ignored. */
export class PendingReply {
	readonly operation: Operation;
	/** Of a reply that is no error. */
	readonly replyType: number;
	readonly path: string | undefined;
	/** Bytes of the request's payload. */
	readonly length: number;
	/** In ticks of the connection; undefined once it is given up. */
	givenUpAt: number | undefined;
	/** Settles once: what comes after the first call of either does nothing. */
	readonly #resolve: (payload: Buffer) => void;
	readonly #reject: (error: unknown) => void;
	#forgetSignal: (() => void) | undefined;

	constructor(request: Request, resolve: (payload: Buffer) => void, reject: (error: unknown) => void) {
		this.operation = request.operation;
		this.replyType = OPERATION[request.operation];
		this.path = request.path;
		this.length = request.payload.length;
		this.#resolve = resolve;
		this.#reject = reject;
	}

	/** Rejects with CancelledError when the signal aborts. */
	heed(signal: AbortSignal): void {
		const abort = (): void =>
			this.reject(new CancelledError(`Stopped waiting for ${this.operation}`, { cause: signal.reason }));
		this.#forgetSignal = () => signal.removeEventListener("abort", abort);
		// One signal may well stop hundreds of requests: no leak that Node should warn of.
		setMaxListeners(0, signal);
		signal.addEventListener("abort", abort, { once: true });
	}

	resolve(payload: Buffer): void {
		this.#forgetSignal?.();
		this.#resolve(payload);
	}

	reject(error: unknown): void {
		this.#forgetSignal?.();
		this.#reject(error);
	}
}
