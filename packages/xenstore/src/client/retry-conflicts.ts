import { delay } from "@bulkhead/base";
import { isRefusal, XenstoreError } from "../errors.ts";
import type { RequestOptions } from "../view.ts";
import type { Connection } from "./connection.ts";

export interface TransactionOptions extends RequestOptions {
	/** For all attempts together. Default 30 s. */
	timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const LONGEST_PAUSE_MS = 100;

/**
 * Repeats an attempt while xenstored answers its end with EAGAIN: another client changed what it had read or written.
 * @throws XenstoreError `xenstore-conflict` at the deadline; CancelledError
 */
export async function retryConflicts<T>(
	connection: Connection,
	{ signal, timeoutMs = DEFAULT_TIMEOUT_MS }: TransactionOptions,
	attempt: () => Promise<T>,
): Promise<T> {
	const deadline = performance.now() + timeoutMs;
	for (let attempts = 1; ; attempts++) {
		try {
			return await attempt();
		} catch (error) {
			if (!isRefusal(error, "EAGAIN") || error.operation !== "TRANSACTION_END") throw error;
			connection.stats.conflicts++;
			// A random pause, so that two writers that met do not meet again.
			const pauseMs = Math.random() * Math.min(LONGEST_PAUSE_MS, 2 ** attempts);
			if (performance.now() + pauseMs > deadline) throw givenUp(attempts, timeoutMs, error);
			await delay(pauseMs, signal);
		}
	}
}

function givenUp(attempts: number, timeoutMs: number, cause: XenstoreError): XenstoreError {
	return new XenstoreError(
		"xenstore-conflict",
		`Transaction met other writers ${attempts} times and was given up after ${timeoutMs} ms`,
		{ cause, operation: "TRANSACTION_END", errno: "EAGAIN", fields: { attempts, timeoutMs } },
	);
}
