import { type SerializedError, serializeError, withDeadline } from "@bulkhead/base";
import type { ContractRow } from "./contract-host.ts";

/** One line of a run's output, as JSON. */
export interface RowResult {
	row: string;
	ok: boolean;
	ms: number;
	error?: SerializedError & { stack?: string };
}

const ROW_TIMEOUT_MS = 60_000;

/** Runs rows one after the other; a row that fails or hangs does not stop the others. */
export async function* runRows(contract: readonly ContractRow[]): AsyncGenerator<RowResult> {
	for (const { name, run } of contract) {
		const start = performance.now();
		const ms = (): number => Math.round(performance.now() - start);
		try {
			await withDeadline(run(), { timeoutMs: ROW_TIMEOUT_MS, what: `the row "${name}"` });
			yield { row: name, ok: true, ms: ms() };
		} catch (error) {
			const stack = error instanceof Error ? error.stack : undefined;
			yield { row: name, ok: false, ms: ms(), error: { ...serializeError(error), stack } };
		}
	}
}
