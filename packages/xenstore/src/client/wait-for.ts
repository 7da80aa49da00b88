import { withDeadline } from "@bulkhead/base";
import type { RequestOptions } from "../view.ts";
import type { XenstoreWatch } from "./watch.ts";

export interface WaitForOptions extends RequestOptions {
	timeoutMs: number;
	/** What is awaited, for the error's sentence. Default: the path. */
	what?: string;
}

/**
 * Reads after each event of the watch until the value will do: no change is missed, since the watch comes first.
 * @throws DeadlineError, CancelledError, XenstoreError, and what the predicate throws
 */
export async function waitForValue(
	watch: XenstoreWatch,
	find: () => Promise<string | undefined>,
	predicate: (value: string | undefined) => boolean,
	{ timeoutMs, signal, what }: WaitForOptions & { what: string },
): Promise<string | undefined> {
	try {
		return await withDeadline(firstFitting(watch, find, predicate), { timeoutMs, signal, what });
	} finally {
		watch.close();
	}
}

async function firstFitting(
	watch: XenstoreWatch,
	find: () => Promise<string | undefined>,
	predicate: (value: string | undefined) => boolean,
): Promise<string | undefined> {
	for await (const _ of watch) {
		const value = await find();
		if (predicate(value)) return value;
	}
	return undefined;
}
