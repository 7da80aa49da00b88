import { CancelledError, DeadlineError } from "./errors.ts";

export interface WaitOptions {
	/** Milliseconds from now after which the wait fails with a DeadlineError. */
	timeoutMs: number;
	signal?: AbortSignal;
	/** What is awaited, for the error's sentence: "the stub domain's QEMU". */
	what: string;
}

/**
 * Awaits a promise, but no longer than the deadline. The promise itself is not stopped: give the operation the same
 * signal, or release what it yields, when that matters.
 * @throws DeadlineError, CancelledError
 */
export async function withDeadline<T>(promise: Promise<T>, { timeoutMs, signal, what }: WaitOptions): Promise<T> {
	if (signal?.aborted) {
		promise.catch(() => {});
		throw cancelled(what, signal);
	}
	let timer: NodeJS.Timeout | undefined;
	let onAbort: (() => void) | undefined;
	const limit = new Promise<never>((_, reject) => {
		timer = setTimeout(
			() => reject(new DeadlineError(`Gave up waiting for ${what} after ${timeoutMs} ms`, { fields: { timeoutMs } })),
			timeoutMs,
		);
		if (signal) {
			onAbort = () => reject(cancelled(what, signal));
			signal.addEventListener("abort", onAbort, { once: true });
		}
	});
	try {
		return await Promise.race([promise, limit]);
	} finally {
		clearTimeout(timer);
		if (onAbort) signal?.removeEventListener("abort", onAbort);
	}
}

function cancelled(what: string, signal: AbortSignal): CancelledError {
	return new CancelledError(`Stopped waiting for ${what}`, { cause: signal.reason });
}

/** Resolves after the given time; rejects at once when the signal aborts. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) return reject(cancelled("a pause", signal));
		const onAbort = (): void => {
			clearTimeout(timer);
			if (signal) reject(cancelled("a pause", signal));
		};
		const timer = setTimeout(() => {
			signal?.removeEventListener("abort", onAbort);
			resolve();
		}, ms);
		signal?.addEventListener("abort", onAbort, { once: true });
	});
}
